"""What `xtsync doctor` concludes from what it reads. Pure: nothing is called.

Sources: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
and https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..partner_object import settings_of
from .needs import ROLES, Need

OK, WARNING, PROBLEM = "ok", "warning", "problem"
# Permissions that do as well as a lesser one.
COVERED_BY: Mapping[str, tuple[str, ...]] = {
    "Policy.Read.All": ("Policy.ReadWrite.CrossTenantAccess",),
    "Application.ReadWrite.OwnedBy": ("Application.ReadWrite.All", "Directory.ReadWrite.All"),
    "Application.Read.All": ("Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "AppRoleAssignment.ReadWrite.All": ("Application.ReadWrite.All",),
    "User.Read.All": ("User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "Group.Read.All": ("Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "ProvisioningLog.Read.All": ("AuditLog.Read.All", "Directory.Read.All"),
}
# Directory roles by their template ids, as a person's token carries them.
ROLE_TEMPLATES: Mapping[str, str] = {
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "Hybrid Identity Administrator": "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
}
PREMIUM = ("AAD_PREMIUM", "AAD_PREMIUM_P2", "ENTRA_PREMIUM")
CLOCK_WARNING, CLOCK_PROBLEM = 120.0, 300.0
NAMES_SHOWN = 10


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        side: source, target, or both.
        area: what it is about.
        level: ok, warning or problem.
        found: what was found.
        do: what to do about it; "" where nothing is to be done.
    """

    side: str
    area: str
    level: str
    found: str
    do: str = ""


def permissions(side: str, claims: Mapping[str, Any], wanted: Sequence[Need]) -> list[Finding]:
    """Whether a token allows every call that is to come."""
    if claims.get("idtyp") != "app" and "roles" not in claims:
        return [directory_roles(side, claims)]
    granted = set(claims.get("roles") or ())
    findings = []
    for need in wanted:
        if need.permission in granted or granted & set(COVERED_BY.get(need.permission, ())):
            continue
        do = f"give the application {need.permission} and consent to it; `xtsync permissions` prints the commands"
        level = WARNING if need.optional else PROBLEM
        findings.append(Finding(side, "permissions", level, f"{need.permission} is missing, for {need.reason}", do))
    return findings or [Finding(side, "permissions", OK, f"{len(wanted)} of {len(wanted)} there")]


def directory_roles(side: str, claims: Mapping[str, Any]) -> Finding:
    """Whether a person has the roles; their token carries them."""
    held = {name for name, template in ROLE_TEMPLATES.items() if template in (claims.get("wids") or ())}
    if "Global Administrator" in held:
        return Finding(side, "roles", OK, "Global Administrator")
    if "Application Administrator" in held:
        held.add("Cloud Application Administrator")
    missing = [role for role in ROLES[side] if role not in held]
    if not missing:
        return Finding(side, "roles", OK, ", ".join(ROLES[side]))
    do = "activate or assign them, then sign in again with `az login`"
    return Finding(side, "roles", WARNING, f"your sign-in does not show {', '.join(missing)}", do)


def licence(side: str, skus: Iterable[Mapping[str, Any]]) -> Finding:
    """Whether the tenant has Microsoft Entra ID P1 or more."""
    plans = {
        str(plan.get("servicePlanName") or "").upper()
        for sku in skus
        if sku.get("capabilityStatus", "Enabled") in ("Enabled", "Warning")
        for plan in sku.get("servicePlans") or ()
    }
    if any(plan.startswith(PREMIUM) for plan in plans):
        return Finding(side, "licence", OK, "Microsoft Entra ID P1 or more")
    do = "people who are synchronized need Microsoft Entra ID P1 in the source, trust settings where they are set"
    return Finding(side, "licence", WARNING, "no Microsoft Entra ID P1 was found", do)


def defaults(side: str, policy: Mapping[str, Any], partner: Mapping[str, Any] | None) -> Finding:
    """Whether the tenant's cross-tenant defaults let these people through."""
    name = "b2bCollaborationOutbound" if side == "source" else "b2bCollaborationInbound"
    setting = (partner or {}).get(name) or policy.get(name) or {}
    for part in ("usersAndGroups", "applications"):
        if (setting.get(part) or {}).get("accessType") == "blocked":
            where = "of the partner policy" if (partner or {}).get(name) else "by default"
            do = f"allow these people in the {side} (External Identities > Cross-tenant access settings)"
            return Finding(side, "defaults", WARNING, f"{name} {where} blocks some {part}", do)
    return Finding(side, "defaults", OK, f"{name} lets people through")


def invitations(policy: Mapping[str, Any]) -> Finding:
    """Whether anybody can be invited into the target at all."""
    if policy.get("allowInvitesFrom") == "none":
        do = "let at least administrators invite guests (External collaboration settings)"
        why = "nobody may invite guests: every person would fail with AzureActiveDirectoryForbidden"
        return Finding("target", "invitations", PROBLEM, why, do)
    return Finding("target", "invitations", OK, "guests may be invited")


def partner(side: str, found: Mapping[str, Any] | None, sync: Mapping[str, Any] | None, on_existing: str) -> Finding:
    """What there is for the partner today, and what `pulumi up` does with it."""
    if found is None:
        return Finding(side, "partner policy", OK, "none yet; `pulumi up` makes it")
    names = sorted({*settings_of(found), *(["identity sync policy"] if sync else [])}) or ["nothing set"]
    words = f"there is one, with {', '.join(names)}"
    if found.get("isInMultiTenantOrganization"):
        do = "expect Microsoft 365 to write into it as well; see docs/operations.md"
        return Finding(side, "partner policy", WARNING, f"{words}; a multitenant organization uses it", do)
    if on_existing == "fail":
        do = "set xtsync:onExisting to adopt, or remove it"
        return Finding(
            side, "partner policy", WARNING, f"{words}; before the first `pulumi up` onExisting: fail refuses", do
        )
    return Finding(side, "partner policy", OK, f"{words}; only configured fields are written")


def clock(side: str, seconds: float) -> Finding:
    """Whether this computer's clock is right, by the login service's."""
    if abs(seconds) < CLOCK_WARNING:
        return Finding(side, "clock", OK, "right")
    level = PROBLEM if abs(seconds) >= CLOCK_PROBLEM else WARNING
    behind = "behind" if seconds > 0 else "ahead"
    return Finding(side, "clock", level, f"{abs(seconds) / 60:.0f} minutes {behind}", "set this computer's clock")


# --- who is in scope -------------------------------------------------------------------------------------------


def why_skipped(person: Mapping[str, Any]) -> str:
    """Why somebody is not synchronized; "" if they are."""
    kind = str(person.get("@odata.type") or "#microsoft.graph.user")
    if kind == "#microsoft.graph.group":
        return "nested group: only direct members count"
    if kind != "#microsoft.graph.user":
        return f"{kind.removeprefix('#microsoft.graph.')}, not a person"
    if person.get("userType") == "Guest" or "#EXT#" in str(person.get("userPrincipalName") or ""):
        return "guest in the source"
    return ""


def scope(people: Mapping[str, Mapping[str, Any]], unknown: Sequence[str]) -> list[Finding]:
    """Who would be synchronized, who would be skipped and why, and who is not there."""
    findings = []
    if unknown:
        do = "check the spelling in xtsync:users and xtsync:groups, or give object ids"
        findings.append(Finding("source", "scope", PROBLEM, f"not there: {shortened(unknown)}", do))
    skipped = {
        str(person.get("userPrincipalName") or person.get("displayName") or person["id"]): why
        for person in people.values()
        if (why := why_skipped(person))
    }
    disabled = [p for p in people.values() if p.get("accountEnabled") is False and not why_skipped(p)]
    count = len(people) - len(skipped)
    words = f"{count} {'person' if count == 1 else 'people'} would be synchronized"
    words += f"; {len(disabled)} of them are disabled, and not created while they are" if disabled else ""
    if skipped:
        listed = shortened([f"{name} ({why})" for name, why in skipped.items()])
        findings.append(Finding("source", "scope", WARNING, f"{words}; {len(skipped)} would be skipped: {listed}",
                                "assign them directly, or take them out of the scope"))  # fmt: skip
    elif not count:
        findings.append(Finding("source", "scope", WARNING, "nobody would be synchronized", "put people in scope"))
    else:
        findings.append(Finding("source", "scope", OK, words))
    return findings


def shortened(names: Sequence[str]) -> str:
    """Names, the first ones only where there are many."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
