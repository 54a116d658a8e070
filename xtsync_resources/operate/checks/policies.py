"""Policies of a tenant that stand in the way, or are shared with others.

Sources: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationdefault,
https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner and
https://learn.microsoft.com/graph/api/resources/authorizationpolicy
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...application.multitenant_organization import MEMBER as ORGANIZATION
from ...application.multitenant_organization import configuration
from ...directory.calls import find_tenant, get_authorization_policy
from ...graph.errors import CallError
from ...graph.permissions import POLICY_READ
from ...identity_sync_policy.calls import GROUP_SYNC, get_identity_sync
from ...identity_sync_policy.model import differing, permissions_of, sync_values
from ...partner_policy.calls import get_partner
from ...partner_policy.capabilities import Capabilities, capabilities
from ...partner_policy.model import (
    CONSENT,
    OPPOSITE,
    REDEMPTION,
    TRUST,
    USER_SYNC,
    Baseline,
    Values,
    leaf,
    live_values,
    settings_of,
)
from .doors import mend
from .drift import MEND
from .finding import Finding, Look
from .in_words import policy_in_words, value_in_words

if TYPE_CHECKING:
    from ...graph.operation import Operation

AREA, SYNC_AREA, INVITATIONS = "partner policy", "identity sync policy", "invitations"
NOBODY = "none"


def check_invitations(look: Look) -> list[Finding]:
    """Look whether guests may be invited. Call: GET authorizationPolicy (Policy.Read.All)."""
    allowed = str(look.operation().send(get_authorization_policy()).get("allowInvitesFrom") or "unknown")
    if allowed != NOBODY:
        return [look.ok(INVITATIONS, f"guests may be invited (allowInvitesFrom: {allowed})")]
    found = "nobody may invite guests (allowInvitesFrom: none): each person fails with AzureActiveDirectoryForbidden"
    do = "choose any but the most restrictive in External collaboration settings, Guest invite restrictions"
    return [look.problem(INVITATIONS, found, do)]


def check_partner(look: Look) -> list[Finding]:
    """Look at the partner policy as it is, and who else uses it.

    Calls: GET partners/{id}, GET its identitySynchronization (Policy.Read.All or Policy.ReadWrite.CrossTenantAccess),
    GET its m365Capabilities (Policy.Read.All); in the source, where both are in a multitenant organization, GET
    applications (Application.Read.All).
    """
    operation = look.operation()
    partner = operation.read(get_partner(look.partner.id))
    if partner is None:
        return partner_missing(look, operation)
    sync = operation.read(
        get_identity_sync(look.partner.id, groups=look.side == "target" and look.settings.sync_groups)
    )
    findings = [*describe_partner(look, partner, sync), *(drift(look, operation, partner, sync) if look.set_up else [])]
    try:
        findings.append(check_end(look, capabilities(operation, look.partner.id)))
    except CallError as error:
        findings.append(look.not_checked(AREA, error))
    if partner.get(ORGANIZATION) and look.side == "source":
        try:
            also = configuration(operation, look.partner.id)
        except CallError as error:
            return [*findings, look.not_checked(AREA, error)]
        findings += [look.warning(AREA, also)] if also else []
    return findings


def check_differing(look: Look) -> list[Finding]:
    """Look whether the policies say what the stack file says, and no further.

    Calls: GET partners/{id}, in the target GET its identitySynchronization.
    """
    operation = look.operation()
    partner = operation.read(get_partner(look.partner.id))
    if partner is None:
        return partner_missing(look, operation)
    target = look.side == "target"
    sync = operation.read(get_identity_sync(look.partner.id, groups=look.settings.sync_groups)) if target else None
    return drift(look, operation, partner, sync)


def partner_missing(look: Look, operation: Operation) -> list[Finding]:
    """No partner policy: as it should be before the first `up` only. Call, where it is gone: that of `mend`."""
    if look.outputs.get("jobId"):
        found = f"the partner policy for {look.partner.name} is gone, though this stack made or adopted it"
        wanted = {**look.settings.partner_policy(look.side), **(lets_in(look) if look.side == "target" else {})}
        put_back = "run `pulumi up --refresh --diff`, which puts it back"
        return [look.problem(AREA, found, mend(look, operation, {}, wanted, put_back))]
    if look.unread:
        found = f"there is none for {look.partner.name}, and nobody knows whether this stack has made one"
        return [look.not_reached(AREA, found, "look again when the stack's state can be read")]
    return [look.ok(AREA, f"there is none for {look.partner.name} yet")]


def lets_in(look: Look) -> Values:
    """What the identity sync policy is to let in."""
    return permissions_of(sync_values(look.settings.display_name, look.settings.sync_groups))


def describe_partner(look: Look, partner: Mapping[str, Any], sync: Mapping[str, Any] | None) -> list[Finding]:
    """What a partner policy says and who needs it; pure."""
    set_now = said(partner, sync)
    text = f"there is one for {look.partner.name}; set: {', '.join(set_now) or 'nothing'}"
    if others := other_users(look, partner, sync):
        text += f". Also used by {' and '.join(others)}; that is left alone"
    findings = [look.ok(AREA, text)]
    joined = Baseline(partner, sync).may_be_joined(look.side)
    if not look.may_be_set_up and look.settings.on_existing == "fail" and not joined:
        found = "it exists, and xtsync:onExisting is fail: `pulumi up` will refuse"
        findings = [look.problem(AREA, text + f"; {found}", "set xtsync:onExisting: adopt, or delete it")]
    if partner.get(ORGANIZATION):
        found = "both tenants are in a multitenant organization, which can rewrite this policy: expect drift"
        findings.append(look.warning(AREA, found, "let only one of the two manage synchronization"))
    return findings


def drift(
    look: Look, operation: Operation, partner: Mapping[str, Any], sync: Mapping[str, Any] | None
) -> list[Finding]:
    """What the policies say otherwise than the stack file, compared as the resources do. Call: that of `mend`."""
    wanted = look.settings.partner_policy(look.side)
    lines = policy_in_words(live_values(partner, wanted), wanted)
    text = f"for {look.partner.name}: {'; '.join(lines)}"
    found = [look.problem(AREA, text, mend(look, operation, partner, wanted))] if lines else []
    return [*found, *(drift_of_sync(look, operation, sync) if look.side == "target" else [])]


def drift_of_sync(look: Look, operation: Operation, sync: Mapping[str, Any] | None) -> list[Finding]:
    """What the identity sync policy of the target does not let in, or is called."""
    settings, policy = look.settings, f"the identity sync policy for {look.partner.name}"
    if sync is None:
        text = f"{policy} is gone, without which nobody is let in"
        return [look.problem(SYNC_AREA, text, mend(look, operation, {}, lets_in(look)))]
    differs = differing(sync, sync_values(settings.display_name, settings.sync_groups))
    shut = " and ".join(kind for name, kind in ((USER_SYNC, "people"), (GROUP_SYNC, "groups")) if name in differs)
    found = []
    if shut:
        text = f"{policy} does not let {shut} be synchronized into {look.tenant.name}"
        found.append(look.problem(SYNC_AREA, text, mend(look, operation, sync, lets_in(look))))
    if "displayName" in differs:
        name = value_in_words(sync.get("displayName"))
        text = f"{policy} is called {name}, and the stack file says {settings.display_name}"
        found.append(look.problem(SYNC_AREA, text, MEND))
    return found


def check_end(look: Look, found: Capabilities) -> Finding:
    """What `destroy` will make of a partner policy that nobody else needs, as far as it shows."""
    if found is Capabilities.NONE:
        return look.ok(AREA, "it has no m365Capabilities, for which `pulumi destroy` would leave it")
    if found is Capabilities.SOME:
        return look.ok(AREA, "others have set m365Capabilities in it: `pulumi destroy` leaves it, emptied of ours")
    text = "its m365Capabilities cannot be seen: `pulumi destroy` will leave it, emptied of ours"
    return look.warning(AREA, text, f"give the application {POLICY_READ}, or remove the policy by hand afterwards")


def said(partner: Mapping[str, Any], sync: Mapping[str, Any] | None) -> list[str]:
    """What is set, in the words of Graph."""
    found = []
    for name, value in settings_of(partner).items():
        if name in (CONSENT, TRUST):
            found += [f"{name}.{member}: {str(flag).lower()}" for member, flag in value.items() if flag is not None]
        elif name != ORGANIZATION:
            found.append(name)
    return [*found, *(["identitySynchronization"] if sync is not None else [])]


def other_users(look: Look, partner: Mapping[str, Any], sync: Mapping[str, Any] | None) -> list[str]:
    """Who else needs the partner policy, as far as it shows."""
    found = []
    opposite = leaf(partner, CONSENT, REDEMPTION[OPPOSITE[look.side]]) or (look.side == "source" and sync is not None)
    if opposite:
        found.append(f"the opposite pair {look.settings.target.name} → {look.settings.source.name}")
    rest = set(settings_of(partner)) - {ORGANIZATION, *look.settings.partner_policy(look.side)}
    if rest:
        found.append(f"whoever set {', '.join(sorted(rest))}")
    return found


def check_known(look: Look) -> list[Finding]:
    """Look whether this tenant finds the other in its cloud. Call: GET findTenantInformationByTenantId.

    It needs CrossTenantInformation.ReadBasic.All.
    """
    found = look.operation().read(find_tenant(look.partner.id))
    if found is None:
        text = f"{look.tenant.name} finds no tenant {look.partner.id} in its cloud"
        return [look.problem("partner", text, f"check xtsync:{OPPOSITE[look.side]}.tenantId and xtsync:cloud")]
    name, domain = found.get("displayName"), found.get("defaultDomainName")
    return [look.ok("partner", f"finds {look.partner.name} in its cloud: {name} ({domain})")]
