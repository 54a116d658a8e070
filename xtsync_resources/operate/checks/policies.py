"""Policies of a tenant that stand in the way, or are shared with others.

Sources: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationdefault,
https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner and
https://learn.microsoft.com/graph/api/resources/authorizationpolicy
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from ...application.multitenant_organization import MEMBER as ORGANIZATION
from ...application.multitenant_organization import configuration
from ...directory.calls import find_tenant, get_authorization_policy
from ...graph.errors import CallError
from ...graph.permissions import POLICY_READ
from ...identity_sync_policy.calls import get_identity_sync
from ...identity_sync_policy.model import differing, sync_values
from ...partner_policy.calls import get_partner, get_policy_defaults
from ...partner_policy.capabilities import Capabilities, capabilities
from ...partner_policy.model import (
    CONSENT,
    OPPOSITE,
    REDEMPTION,
    TRUST,
    Baseline,
    describe,
    leaf,
    live_values,
    settings_of,
)
from .drift import MEND
from .finding import Finding, Look

AREA, COLLABORATION, INVITATIONS = "partner policy", "collaboration", "invitations"
# B2B collaboration must be open towards the partner: out of the source, into the target.
DIRECTION = {"source": "b2bCollaborationOutbound", "target": "b2bCollaborationInbound"}
NOBODY = "none"


class Reach(Enum):
    """Whom a B2B setting lets through."""

    ALL = "everybody"
    SOME = "some people only"
    NONE = "nobody"


def reach(setting: Mapping[str, Any]) -> Reach:
    """Whom the `usersAndGroups` of a B2B setting lets through."""
    people = setting.get("usersAndGroups") or {}
    targets = [str(one.get("target")).lower() for one in people.get("targets") or ()]
    if targets and "allusers" not in targets:
        return Reach.SOME
    return Reach.NONE if str(people.get("accessType")).lower() == "blocked" else Reach.ALL


def check_collaboration(look: Look) -> list[Finding]:
    """Look whether people may pass at all; a partner's own setting comes before the default.

    Calls: GET partners/{id}, GET default (Policy.Read.All or Policy.ReadWrite.CrossTenantAccess).
    """
    name = DIRECTION[look.side]
    operation = look.operation()
    partner = operation.read(get_partner(look.partner.id)) or {}
    own = partner.get(name)
    setting = own or operation.send(get_policy_defaults()).get(name) or {}
    where = "the partner policy" if own else "the default"
    way = "out to" if look.side == "source" else "in from"
    found = reach(setting)
    if found is Reach.ALL:
        return [look.ok(COLLABORATION, f"{where} lets everybody {way} {look.partner.name}")]
    do = (
        f"allow {name}.usersAndGroups for {look.partner.name}: cross-tenant access settings of {look.tenant.name}, "
        f"organizational settings, {look.partner.id}"
    )
    return [look.warning(COLLABORATION, f"{where} ({name}) lets {found.value} {way} {look.partner.name}", do)]


def check_invitations(look: Look) -> list[Finding]:
    """Look whether guests may be invited. Call: GET authorizationPolicy (Policy.Read.All)."""
    allowed = str(look.operation().send(get_authorization_policy()).get("allowInvitesFrom") or "unknown")
    if allowed != NOBODY:
        return [look.ok(INVITATIONS, f"guests may be invited (allowInvitesFrom: {allowed})")]
    found = "nobody may invite guests (allowInvitesFrom: none): each person fails with AzureActiveDirectoryForbidden"
    do = "External collaboration settings, Guest invite restrictions: choose any but the most restrictive"
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
        return partner_missing(look)
    sync = operation.read(
        get_identity_sync(look.partner.id, groups=look.side == "target" and look.settings.sync_groups)
    )
    findings = [*describe_partner(look, partner, sync), *(drift(look, partner, sync) if look.set_up else [])]
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
        return partner_missing(look)
    target = look.side == "target"
    sync = operation.read(get_identity_sync(look.partner.id, groups=look.settings.sync_groups)) if target else None
    return drift(look, partner, sync)


def partner_missing(look: Look) -> list[Finding]:
    """No partner policy: as it should be before the first `up` only."""
    if look.set_up:
        found = f"the partner policy for {look.partner.name} is gone, though this stack made or adopted it"
        return [look.problem(AREA, found, "run `pulumi up --refresh --diff`, which puts it back")]
    return [look.ok(AREA, f"there is none for {look.partner.name} yet")]


def describe_partner(look: Look, partner: Mapping[str, Any], sync: Mapping[str, Any] | None) -> list[Finding]:
    """What a partner policy says and who needs it; pure."""
    set_now = said(partner, sync)
    text = f"there is one for {look.partner.name}; set: {', '.join(set_now) or 'nothing'}"
    if others := other_users(look, partner, sync):
        text += f". Also used by {' and '.join(others)}; that is left alone"
    findings = [look.ok(AREA, text)]
    joined = Baseline(partner, sync).may_be_joined(look.side)
    if not look.set_up and look.settings.on_existing == "fail" and not joined:
        found = "it exists, and xtsync:onExisting is fail: `pulumi up` will refuse"
        findings = [look.problem(AREA, text + f"; {found}", "set xtsync:onExisting: adopt, or delete it")]
    if partner.get(ORGANIZATION):
        found = "both tenants are in a multitenant organization, which can rewrite this policy: expect drift"
        findings.append(look.warning(AREA, found, "let only one of the two manage synchronization"))
    return findings


def drift(look: Look, partner: Mapping[str, Any], sync: Mapping[str, Any] | None) -> list[Finding]:
    """What the policies say otherwise than the stack file, compared as the resources compare it; pure."""
    wanted, settings = look.settings.partner_policy(look.side), look.settings
    lines = describe(live_values(partner, wanted), wanted)
    if look.side == "target":
        if sync is None:
            found = f"the identity sync policy for {look.partner.name} is gone, without which nobody is let in"
            return [look.problem(AREA, found, MEND)]
        differs = differing(sync, sync_values(settings.display_name, settings.sync_groups))
        lines += [f"{name}: {json.dumps(sync.get(name))} -> {json.dumps(value)}" for name, value in differs.items()]
    if not lines:
        return []
    return [look.problem(AREA, f"it is not as the stack file says (now -> stack file): {'; '.join(lines)}", MEND)]


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
    trusted = look.side == "target" and look.settings.inbound_trust
    rest = set(settings_of(partner)) - {CONSENT, ORGANIZATION} - ({TRUST} if trusted else set())
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
