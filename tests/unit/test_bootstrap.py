"""The bootstrap program, with Pulumi's mocks: the azuread plugin is not needed to see what it declares."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bootstrap_program import PROGRAM, RUN, run
from xtsync_resources.config.keys import camel_case
from xtsync_resources.operate.needs import GRAPH, needs_of

ROOT = Path(__file__).resolve().parents[2]
TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "0e9d6a72-4c5b-4f81-a3d7-8b26f1c5e044"


def declared(**config: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    done = run(tenantId=TENANT, **config)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found["made"], found["outputs"]


def of_type(found: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [one["inputs"] for one in found if one["type"].endswith(f":{name}")]


def test_azuread_signs_in_where_the_cloud_is_whatever_the_environment_says() -> None:
    made, _ = declared()
    (provider,) = (one["inputs"] for one in made if one["type"] == "pulumi:providers:azuread")
    assert (provider["metadataHost"], provider["environment"]) == ("", "public")


@pytest.mark.parametrize(
    ("federate", "issuer", "subject"),
    [
        (
            "github:example/tenants:environment:production",
            "https://token.actions.githubusercontent.com",
            "repo:example/tenants:environment:production",
        ),
        (
            f"azure-devops:{TENANT}:org/project/connection",
            f"https://vstoken.dev.azure.com/{TENANT}",
            "sc://org/project/connection",
        ),
    ],
)
def test_the_application_has_exactly_the_permissions_and_the_federation(
    federate: str, issuer: str, subject: str
) -> None:
    found, outputs = declared(side="source", name='Contoso: "A"', federate=federate)
    wanted = {need.role_id for need in needs_of("source") if not need.optional}
    (application,) = of_type(found, "Application")
    (access,) = application["requiredResourceAccesses"]
    assert access["resourceAppId"] == GRAPH
    assert {one["id"] for one in access["resourceAccesses"]} == wanted
    assert application["signInAudience"] == "AzureADMyOrg"
    assigned = of_type(found, "AppRoleAssignment")
    assert {one["appRoleId"] for one in assigned} == wanted
    assert {(one["principalObjectId"], one["resourceObjectId"]) for one in assigned} == {("object", "graph")}
    (credential,) = of_type(found, "ApplicationFederatedIdentityCredential")
    assert (credential["issuer"], credential["subject"]) == (issuer, subject)
    assert credential["audiences"] == ["api://AzureADTokenExchange"]
    told = run(tenantId=TENANT, federate=federate).stderr
    assert f"Whoever gets a token from {issuer} for {subject} can sign in to the tenant {TENANT}" in told
    assert not of_type(found, "ApplicationPassword")
    assert set(outputs) == {"clientId", "tenantId", "stackFile"}
    source = yaml.safe_load(outputs["stackFile"]["value"])["xtsync:source"]
    connection = {"serviceConnectionId": "CHANGE-ME"} if "azure-devops" in federate else {}
    wanted_source = {"tenantId": TENANT, "name": 'Contoso: "A"', "clientId": CLIENT, "auth": "oidc", **connection}
    assert source == wanted_source


def test_every_environment_of_a_pipeline_has_a_credential_of_its_own() -> None:
    of_pipeline = [f"github:example/tenants:environment:{one}" for one in ("drift", "preview", "production-preview")]
    found, _ = declared(federate=json.dumps(of_pipeline))
    made = sorted(of_type(found, "ApplicationFederatedIdentityCredential"), key=lambda one: str(one["subject"]))
    assert [one["subject"] for one in made] == [f"repo:{one.removeprefix('github:')}" for one in of_pipeline]
    assert [one["displayName"] for one in made] == [
        f"xtsync-github-example-tenants-environment-{one}" for one in ("drift", "preview", "production-preview")
    ]


def test_everything_is_done_in_the_tenant_that_is_named() -> None:
    found, _ = declared(side="target", cloud="usgovernment", federate="github:o/r:ref:refs/heads/main")
    (provider,) = [one["inputs"] for one in found if one["type"] == "pulumi:providers:azuread"]
    assert (provider["tenantId"], provider["environment"]) == (TENANT, "usgovernment")
    others = [one for one in found if not one["type"].startswith("pulumi:")]
    assert others
    assert all("::tenant::" in one["provider"] for one in others)
    assert of_type(found, "ApplicationFederatedIdentityCredential")[0]["audiences"] == [
        "api://AzureADTokenExchangeUSGov"
    ]


def test_a_target_needs_two_permissions_and_gets_a_password_only_when_asked() -> None:
    found, outputs = declared(side="target", password="true", passwordUntil="2027-12-31")
    assert len(of_type(found, "AppRoleAssignment")) == 2
    (password,) = of_type(found, "ApplicationPassword")
    assert password["endDate"] == "2027-12-31T00:00:00Z"
    assert outputs["clientSecret"] == {"value": "canary", "secret": True}
    assert not of_type(found, "ApplicationFederatedIdentityCredential")
    assert yaml.safe_load(outputs["stackFile"]["value"])["xtsync:target"] == {
        "tenantId": TENANT,
        "name": TENANT,
        "clientId": CLIENT,
        "auth": "secret",
    }


def test_a_sign_in_that_fails_is_told_in_words_and_nothing_is_made() -> None:
    refusal = """
import grpc
class Refused(grpc.RpcError):
    def code(self): return grpc.StatusCode.UNKNOWN
    def details(self): return "building client: az login: AADSTS700082 expired"
"""
    program = refusal + RUN.replace('return {**args.args, "objectId": "graph"}', "raise Refused")
    done = run(program, tenantId=TENANT, side="source")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert f"Cannot read who Microsoft Graph is in the tenant {TENANT}; nothing was changed" in done.stderr
    assert "AADSTS700082 expired" in done.stderr
    assert f"az login --tenant {TENANT}" in done.stderr


def test_what_a_pair_does_not_use_is_not_asked_for() -> None:
    found, _ = declared(side="source", users="false", groups="false", logs="true")
    names = {one["name"] for one in found if one["type"].endswith(":AppRoleAssignment")}
    assert names == {need.permission for need in needs_of("source", users=False, groups=False)}
    assert "ProvisioningLog.Read.All" in names


def test_all_problems_are_told_at_once_and_nothing_is_declared() -> None:
    done = run(side="sauce", tenantId="contoso.com", federate="gitlab:x", password="true", logs="maybe", usres="true")
    assert done.returncode != 0
    assert "The configuration has 6 problems; nothing was changed." in done.stderr
    for text in (
        'xtsync-bootstrap:side = "sauce": not a choice',
        'xtsync-bootstrap:tenantId = "contoso.com": not a GUID',
        'xtsync-bootstrap:federate = "gitlab:x": it has another form',
        "xtsync-bootstrap:passwordUntil: missing",
        'xtsync-bootstrap:logs = "maybe": not true or false',
        "xtsync-bootstrap:usres: unknown key. Did you mean users",
    ):
        assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_readme_names_the_keys_of_the_program_and_the_project_declares_none() -> None:
    declared = re.search(r"^class Configured:(.*?)^@dataclass", PROGRAM.read_text(), re.M | re.S)
    assert declared
    keys = {camel_case(field) for field in re.findall(r"^    (\w+): .* = key\(", declared[1], re.M)}
    readme = (ROOT / "bootstrap" / "README.md").read_text()
    cells = [line.split("|")[1] for line in readme.splitlines() if line.startswith("| `")]
    assert {key for cell in cells for key in re.findall(r"`(\w+)`", cell)} == keys
    assert "config" not in yaml.safe_load((ROOT / "bootstrap" / "Pulumi.yaml").read_text())


@pytest.mark.parametrize("key", ["name", "federate", "tenantId", "unheardOf"])
def test_no_value_may_be_encrypted(key: str) -> None:
    """Pulumi decrypts the pair's secret under whatever key it was copied to, and it would name the application."""
    more: dict[str, Any] = {key: "abC8Q~a-copied-client-secret"} if key != "tenantId" else {}
    done = run(encrypted=[key], tenantId=TENANT, **more)
    assert done.returncode == 1
    assert f"xtsync-bootstrap:{key}: it is encrypted, and would be shown and stored in plain" in done.stderr
    assert "abC8Q" not in done.stdout + done.stderr


def test_no_line_of_the_stack_file_is_anybody_elses() -> None:
    done = run(RUN.replace(CLIENT, "x\\nxtsync:metadataHost: evil.example"), tenantId=TENANT, side="source")
    assert done.returncode != 0
    assert "is no GUID" in done.stderr
