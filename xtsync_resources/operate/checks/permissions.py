"""What the token may do, against the least that `pulumi up` needs.

Sources: https://learn.microsoft.com/graph/permissions-reference,
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference (roles, scp, wids) and
https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference (role ids)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from ...graph.permissions import APPLICATION, SYNCHRONIZATION, WRITE_APPLICATIONS, covers
from ..needs import ROLES, Need, needs
from .finding import Finding, Look
from .sign_in import delegated

AREA = "permissions"
# What Azure CLI asks for in the name of the person; Graph does not say for which calls it is enough.
AS_THE_PERSON = "Directory.AccessAsUser.All"
ROLE_IDS: Mapping[str, str] = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "Hybrid Identity Administrator": "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
}
GREATER_ROLES: Mapping[str, tuple[str, ...]] = {
    "Security Administrator": ("Global Administrator",),
    "Hybrid Identity Administrator": (
        "Cloud Application Administrator",
        "Application Administrator",
        "Global Administrator",
    ),
    "Cloud Application Administrator": ("Application Administrator", "Global Administrator"),
}


def missing(wanted: Sequence[Need], granted: Set[str]) -> list[Need]:
    """The needs nothing granted covers."""
    return [need for need in wanted if not covers(granted, need.permission)]


def missing_roles(side: str, role_ids: Set[str]) -> list[str]:
    """The directory roles a person lacks, by the role template ids in the token."""
    held = {name for name, role_id in ROLE_IDS.items() if role_id in role_ids}
    return [role for role in ROLES[side] if held.isdisjoint({role, *GREATER_ROLES[role]})]


def check(look: Look, claims: Mapping[str, Any]) -> list[Finding]:
    """Compare the token's claims with what this configuration needs; no call is made."""
    wanted = needs(look.settings)[look.side]
    if delegated(claims):
        return [*check_scopes(look, wanted, set(str(claims["scp"]).split())), check_roles(look, claims.get("wids"))]
    granted = {str(role) for role in claims.get("roles") or ()}
    findings = [lacking(look, need) for need in missing(wanted, granted)]
    if look.side == "source":
        findings += for_the_job(look, granted)
    return findings or [look.ok(AREA, f"all {len(wanted)} are there" if len(wanted) > 1 else "the one needed is there")]


def for_the_job(look: Look, granted: Set[str]) -> list[Finding]:
    """Whether the job can be managed: by owning its application, or by the permission for all of them."""
    if SYNCHRONIZATION in granted or not covers(granted, APPLICATION):
        return []
    if APPLICATION in granted:
        found = f"there is no {SYNCHRONIZATION}: the job can be managed where the sign-in owns its application"
        return [look.ok(AREA, f"{found}, as it does where it made it")]
    found = f"{SYNCHRONIZATION} is missing, for the job: greater permissions for applications do not include it"
    return [look.problem(AREA, found, f"grant {SYNCHRONIZATION}, or {APPLICATION}, and consent to it")]


def lacking(look: Look, need: Need) -> Finding:
    """What one missing application permission means."""
    do = f"grant {need.permission} to the application and consent to it: `xtsync permissions` prints the commands"
    if need.optional:
        return look.warning(AREA, f"{need.permission} is missing, for {need.reason} only", do)
    if need.without:
        return look.warning(AREA, f"{need.permission} is missing, for {need.reason}: {need.without}", do)
    return look.problem(AREA, f"{need.permission} is missing, for {need.reason}", do)


def check_scopes(look: Look, wanted: Sequence[Need], scopes: Set[str]) -> list[Finding]:
    """What the signed-in person's client may do in their name; an owner's permission has no such form."""
    # A person has no OwnedBy: the delegated permissions for the same calls are these.
    asked = [Need(WRITE_APPLICATIONS, n.reason, n.optional) if n.permission == APPLICATION else n for n in wanted]
    if look.side == "source":
        asked.append(Need(SYNCHRONIZATION, "job, settings and schema"))
    findings = []
    for need in missing(asked, scopes):
        found = f"{need.permission} is not among the scopes, for {need.reason}"
        do = f"use auth: secret with an application that has {need.permission}; Azure CLI's own scopes are fixed"
        maybe = need.optional or need.without or AS_THE_PERSON in scopes
        findings.append(look.warning(AREA, found, do) if maybe else look.problem(AREA, found, do))
    return findings or [look.ok(AREA, "all scopes are there")]


def check_roles(look: Look, role_ids: object) -> Finding:
    """The signed-in person's directory roles, where the token names them."""
    if not isinstance(role_ids, list):
        do = f"check by hand that the person is {' and '.join(ROLES[look.side])}"
        return look.warning("roles", "the token does not name the person's directory roles", do)
    lacks = missing_roles(look.side, {str(role_id) for role_id in role_ids})
    if not lacks:
        return look.ok("roles", "the person has the directory roles needed")
    found = f"the person is not {' and not '.join(lacks)} (a custom role would not show here)"
    return look.problem("roles", found, f"assign {' and '.join(lacks)}, or activate it, and sign in again")
