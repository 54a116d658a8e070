"""What leaves the state with a tenant that is gone, and what stays whole."""

from __future__ import annotations

from typing import Any

from xtsync_resources.guardrails.stack_facts import PREFIX
from xtsync_resources.operate.forget import of_tenant, without, without_secrets

HERE, THERE = "a5c2f7d0-3b6e-4c1a-9d52-6f1e0b7c4a11", "d81e4b3c-92f5-4a07-8b6d-2c94e7f0a522"


def resource(name: str, type_: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:dev::xtsync::{type_}::{name}", "type": type_, "id": f"{name}-id", **more}


STACK = resource("stack", "pulumi:pulumi:Stack")
AZUREAD = resource("here", "pulumi:providers:azuread", inputs={"tenantId": HERE})
OTHER_AZUREAD = resource("there", "pulumi:providers:azuread", inputs={"tenantId": THERE})
APPLICATION = resource("application", "azuread:index/applicationFromTemplate:X", provider=f"{AZUREAD['urn']}::1")
OTHER_APPLICATION = resource("other", "azuread:index/applicationFromTemplate:X", provider=f"{OTHER_AZUREAD['urn']}::1")
JOB = resource("job", f"{PREFIX}SyncJob", inputs={"homeTenantId": HERE})
POLICY = resource(
    "policy",
    f"{PREFIX}PartnerPolicy",
    inputs={"homeTenantId": THERE},
    dependencies=[JOB["urn"], STACK["urn"], AZUREAD["urn"]],
    propertyDependencies={"baseline": [JOB["urn"]], "tenantId": None},
    replaceWith=[JOB["urn"]],
    deletedWith=JOB["urn"],
)
ALL = [STACK, AZUREAD, OTHER_AZUREAD, APPLICATION, OTHER_APPLICATION, JOB, POLICY]


def test_what_lives_in_the_tenant_leaves_and_the_other_pair_of_the_program_stays() -> None:
    assert [one.name for one in of_tenant(ALL, HERE)] == ["here", "application", "job"]
    assert [one.name for one in of_tenant(ALL, THERE)] == ["there", "other", "policy"]
    assert of_tenant([STACK], HERE) == []


def test_what_stays_says_nothing_of_what_has_left() -> None:
    pending = [{"resource": JOB, "type": "updating"}, {"resource": POLICY, "type": "updating"}]
    document: dict[str, Any] = {
        "version": 3,
        "deployment": {"resources": ALL, "pending_operations": pending, "manifest": {"time": "t"}},
    }
    urns = {one.urn for one in of_tenant(ALL, HERE)}
    left = without(document, urns)
    *_, policy = left["deployment"]["resources"]
    assert policy["dependencies"] == [STACK["urn"]]
    assert policy["propertyDependencies"] == {"baseline": [], "tenantId": []}
    assert policy["replaceWith"] == []
    assert "deletedWith" not in policy
    assert [one["resource"] for one in left["deployment"]["pending_operations"]] == [policy]
    assert (left["version"], left["deployment"]["manifest"]) == (3, {"time": "t"})
    assert document["deployment"]["resources"] == ALL
    assert not any(urn in str(left) for urn in urns)


def test_a_secret_that_was_encrypted_anew_is_no_change() -> None:
    first, second = ({"inputs": [{"ciphertext": text, "sig": "s"}, 1]} for text in ("a", "b"))
    assert without_secrets(first) == without_secrets(second) == {"inputs": [None, 1]}
