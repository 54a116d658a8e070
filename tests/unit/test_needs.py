"""What each sign-in application needs, by configuration, and that no call needs more."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from tests.declared_calls import makers
from tests.stack_files import parsed
from xtsync_resources.graph.call import Call
from xtsync_resources.operate.needs import ROLE_IDS, ROLES, needs, needs_of

ROOT = Path(__file__).resolve().parents[2]
ALWAYS = {
    "Policy.ReadWrite.CrossTenantAccess",
    "Policy.Read.All",
    "Application.ReadWrite.OwnedBy",
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "ProvisioningLog.Read.All",
}
# `xtsync doctor` looks for these, and goes without.
BY_OTHERS = {"Synchronization.ReadWrite.All"}
DOCTOR = {
    "LicenseAssignment.Read.All",
    "CrossTenantInformation.ReadBasic.All",
}


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"users": ["a@b.c"]}, {"User.Read.All"}),
        ({"users": [], "groups": ["Sales"]}, {"GroupMember.Read.All"}),
        ({"users": ["a@b.c"], "groups": ["Sales"]}, {"User.Read.All", "GroupMember.Read.All"}),
        ({"users": [], "groups": ["Sales"], "provisionOnDemand": ["a@b.c"]}, {"User.Read.All", "GroupMember.Read.All"}),
    ],
)
def test_the_source_needs_what_the_configuration_uses(changes: dict[str, Any], more: set[str]) -> None:
    found = needs(parsed(**changes))
    assert {need.permission for need in found["source"]} == ALWAYS | more
    assert [need.permission for need in found["target"]] == [
        "Policy.ReadWrite.CrossTenantAccess",
        "Policy.Read.All",
    ]
    assert [need.permission for need in found["source"] if need.optional] == ["ProvisioningLog.Read.All"]


def declared() -> dict[str, Call]:
    """Every call there is, made with any arguments, by name."""
    found = {}
    for name, maker in makers().items():
        kinds = get_type_hints(maker)
        needed = (p.name for p in inspect.signature(maker).parameters.values() if p.default is p.empty)
        found[name] = maker(*("x" if kinds[one] is str else 5 if kinds[one] is int else {} for one in needed))
    return found


def test_every_call_is_allowed_by_what_is_asked_for() -> None:
    source, target = ({need.permission for need in needs_of(side)} for side in ("source", "target"))
    made = declared()
    assert len(made) > 20
    for name, call in made.items():
        assert call.permission in source | DOCTOR | BY_OTHERS, name
        if call.path.startswith("/policies/crossTenantAccessPolicy/partners"):  # made in both tenants
            assert call.permission in target, name
    asked = {call.permission for call in made.values()}
    assert source - asked <= {"User.Read.All", "GroupMember.Read.All"}, "asked for, and no call needs it"


def test_the_permissions_page_says_the_same() -> None:
    table = (ROOT / "docs" / "permissions.md").read_text().split("## Directory roles")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    said = {
        (side, permission, reason.startswith("optional"))
        for tenant, permissions, reason in rows
        for side in (("source", "target") if tenant == "both" else (tenant,))
        for permission in permissions.split(", ")
        if "`xtsync doctor`" not in reason
        and "somebody else" not in reason
        and "may be matched" not in reason
        and "that hide them" not in reason
    }
    assert said == {(side, n.permission, n.optional) for side in ("source", "target") for n in needs_of(side)}
    roles = (ROOT / "docs" / "permissions.md").read_text().split("## Directory roles")[1]
    for side, names in ROLES.items():
        assert f"| {side} | {', '.join(names)} |" in roles


def test_the_ids_are_ids_and_each_is_used() -> None:
    both = (*needs_of("source", adopt=True), *needs_of("target"))
    assert set(ROLE_IDS) == {need.permission for need in both}
    assert len(set(ROLE_IDS.values())) == len(ROLE_IDS)
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in ROLE_IDS.values())
