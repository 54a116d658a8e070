"""Every way to sign in, through the life of a pair: what proves us is replaced between two commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab import world
from lab.entra.login.assertions import FederatedCredential
from lab.entra.login.models import Client
from lab.entra.workload import urls
from lab.entra.workload.models import ManagedIdentity, Pipeline
from tests.proofs import Proof, self_signed
from tests.scenarios.stacks import Command, Lab, messages, writes

ISSUER = "https://issuer.example/"
# What another set-up may have left in the environment: nothing of it may be used.
LEFT_OVER = {
    "ARM_CLIENT_ID": world.TARGET_CLIENT,
    "ARM_CLIENT_SECRET": "of-another-set-up",
    "ARM_CLIENT_CERTIFICATE": "b2YgYW5vdGhlcg==",
    "ARM_CLIENT_CERTIFICATE_PATH": "/nowhere/other.pfx",
    "ARM_OIDC_TOKEN": "of-another-set-up",
    "ARM_TENANT_ID": world.TARGET_TENANT,
    "ARM_USE_AKS_WORKLOAD_IDENTITY": "true",
    "ARM_USE_CLI": "true",
    "ARM_USE_MSI": "true",
    "ARM_USE_OIDC": "true",
}


def clients(lab: Lab) -> tuple[Client, Client]:
    source, target = lab.source.login.clients, lab.target.login.clients
    return source[world.SOURCE_CLIENT], target[world.TARGET_CLIENT]


def sides(lab: Lab, source: dict[str, Any], target: dict[str, Any]) -> None:
    """Say how both sides sign in; no secret is left to fall back on, and the environment is full of others'."""
    for side, tenant, name, client, more in (
        ("source", world.SOURCE_TENANT, "Contoso", world.SOURCE_CLIENT, source),
        ("target", world.TARGET_TENANT, "Fabrikam", world.TARGET_CLIENT, target),
    ):
        given = {"tenantId": tenant, "name": name, "clientId": client, **more}
        lab.stack.config[f"xtsync:{side}"] = {key: value for key, value in given.items() if value}
        if given["auth"] != "secret":
            del lab.stack.environment[f"XTSYNC_{side.upper()}_CLIENT_SECRET"]
    lab.stack.environment |= LEFT_OVER


def federate(lab: Lab, source: str, target: str, issuer: str = ISSUER) -> None:
    lab.entra.workloads.issuer(issuer)
    for client, subject in zip(clients(lab), (source, target), strict=True):
        client.federated = [FederatedCredential(issuer, subject)]


def whole_life(lab: Lab, replace: Any) -> None:
    """Set up, replace the proofs, refresh, destroy: without an `up` between."""
    before = lab.settings()
    lab.stack.run("up")
    assert lab.jobs()
    replace()
    lab.stack.run("refresh")
    lab.stack.run("preview")
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_certificates_are_replaced_in_place(lab: Lab, tmp_path: Path) -> None:
    files = tmp_path / "proofs"  # outside of what is searched for secrets
    files.mkdir()
    source, target = files / "source.pfx", files / "target.pem"
    sides(
        lab,
        {"auth": "certificate", "certificatePath": str(source)},
        {"auth": "certificate", "certificatePath": str(target)},
    )

    def use(first: Proof, second: Proof, password: str) -> None:
        first.write(source, password)
        second.write(target)
        for client, proof in zip(clients(lab), (first, second), strict=True):
            client.certificates = [proof.certificate]
        lab.stack.environment["XTSYNC_SOURCE_CERTIFICATE_PASSWORD"] = password

    use(self_signed(1), self_signed(2), "first-password")
    whole_life(lab, lambda: use(self_signed(3), self_signed(4), "second-password"))
    texts = "\n".join([*lab.texts, lab.stack.state() if lab.jobs() else ""])
    assert "-password" not in texts
    assert "PRIVATE KEY" not in texts


def test_a_file_of_federated_tokens_is_read_anew(lab: Lab, tmp_path: Path) -> None:
    files = {side: tmp_path / f"{side}.jwt" for side in ("source", "target")}
    sides(lab, *({"auth": "oidc", "tokenFile": str(file)} for file in files.values()))
    federate(lab, "the-source", "the-target")

    def write(seconds: int = 3600) -> None:
        for side, file in files.items():
            issuer = lab.entra.workloads.issuer(ISSUER)
            file.write_text(issuer.token(f"the-{side}", "api://AzureADTokenExchange", seconds=seconds) + "\n")

    write()
    whole_life(lab, write)
    write(seconds=-10)
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "AADSTS700024" in text
    for file in files.values():
        file.unlink()
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert f'xtsync:source.tokenFile = "{files["source"]}": the token file cannot be read (No such file' in text
    assert "xtsync:target.tokenFile" in text


def test_a_github_job_asks_for_its_own_tokens(lab: Lab) -> None:
    sides(lab, {"auth": "oidc"}, {"auth": "oidc"})
    subject = "repo:example/tenants:environment:production"
    github = "https://token.actions.githubusercontent.com"
    federate(lab, subject, subject, github)
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "xtsync:target.auth" in text
    assert "ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN (GitHub Actions)" in text
    assert "permissions: id-token: write" in text

    def job(request_token: str) -> None:
        lab.entra.workloads.github = Pipeline(lab.entra.workloads.issuer(github), subject, request_token)
        lab.stack.environment |= {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{lab.server.url}{urls.GITHUB}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": request_token,
            "ARM_OIDC_REQUEST_URL": "https://localhost:1/other",
            "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": "of-another-set-up",
        }

    job("job-1-token")
    whole_life(lab, lambda: job("job-2-token"))
    assert "job-1-token" not in "\n".join(lab.texts)


def test_an_azure_devops_job_has_a_service_connection_for_each_tenant(lab: Lab) -> None:
    sides(
        lab,
        {"auth": "oidc", "serviceConnectionId": "connection-1"},
        {"auth": "oidc", "serviceConnectionId": "connection-2"},
    )
    federate(lab, "sc://example/tenants/source", "sc://example/tenants/target")

    def job(request_token: str) -> None:
        lab.entra.workloads.azure_devops = Pipeline(
            lab.entra.workloads.issuer(ISSUER),
            "",
            request_token,
            connections={
                "connection-1": "sc://example/tenants/source",
                "connection-2": "sc://example/tenants/target",
            },
        )
        lab.stack.environment["SYSTEM_ACCESSTOKEN"] = request_token
        lab.stack.environment["SYSTEM_OIDCREQUESTURI"] = f"{lab.server.url}{urls.AZURE_DEVOPS}"

    job("job-1-token")
    whole_life(lab, lambda: job("job-2-token"))
    del lab.stack.environment["SYSTEM_ACCESSTOKEN"]
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "SYSTEM_ACCESSTOKEN not set" in text
    assert "$(System.AccessToken)" in text


def app_service(lab: Lab) -> None:
    """Run where App Service would, with an identity of the source's tenant."""
    known = lab.entra.workloads
    known.identities = [ManagedIdentity(lab.source, clients(lab)[0])]
    address = f"{lab.server.url}{urls.APP_SERVICE}"
    lab.stack.environment |= {
        **dict.fromkeys(("IDENTITY_ENDPOINT", "MSI_ENDPOINT"), address),
        **dict.fromkeys(("IDENTITY_HEADER", "MSI_SECRET"), known.identity_header),
    }


@pytest.mark.parametrize("client_id", [world.SOURCE_CLIENT, ""])
def test_a_managed_identity_acts_at_home(lab: Lab, client_id: str) -> None:
    sides(lab, {"auth": "managedIdentity", "clientId": client_id}, {"auth": "secret"})
    app_service(lab)
    whole_life(lab, lambda: None)


def test_a_managed_identity_is_refused_away_from_home(lab: Lab) -> None:
    sides(lab, {"auth": "secret"}, {"auth": "managedIdentity", "clientId": ""})
    app_service(lab)
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert f"the token is for tenant {world.SOURCE_TENANT}" in text
    assert "set xtsync:target.auth to oidc" in text
    assert not writes(lab.calls_since(0))


def test_one_multitenant_application_signs_in_to_both(lab: Lab, tmp_path: Path) -> None:
    proof = self_signed(5)
    path = proof.write(tmp_path / "shared.pfx", "shared-password")
    theirs = lab.target.register_client(world.SOURCE_CLIENT, "unused", world.TARGET_PERMISSIONS)
    for client in (theirs, clients(lab)[0]):
        client.certificates = [proof.certificate]
    how = {"auth": "certificate", "certificatePath": str(path), "clientId": world.SOURCE_CLIENT}
    sides(lab, how, how)
    for side in ("SOURCE", "TARGET"):
        lab.stack.environment[f"XTSYNC_{side}_CERTIFICATE_PASSWORD"] = "shared-password"
    whole_life(lab, lambda: None)


def test_a_secret_is_replaced_between_two_commands(lab: Lab) -> None:
    sides(lab, {"auth": "secret"}, {"auth": "secret"})

    def replace() -> None:
        for side, client in zip(("SOURCE", "TARGET"), clients(lab), strict=True):
            client.secret = lab.stack.environment[f"XTSYNC_{side}_CLIENT_SECRET"] = "another-secret"
        lab.source.login.revoke_tokens()

    whole_life(lab, replace)


def test_the_commands_sign_in_in_every_way(lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = self_signed(6)
    proof.write(lab.folder / "source.pem", "the-password")
    clients(lab)[0].certificates = [proof.certificate]
    # A file is named from the program's folder, and `xtsync` needs no PKCS#12.
    sides(lab, {"auth": "certificate", "certificatePath": "source.pem"}, {"auth": "oidc", "tokenFile": "target.jwt"})
    for name in LEFT_OVER:
        lab.stack.environment.pop(name)
    federate(lab, "the-source", "the-target")
    token = lab.entra.workloads.issuer(ISSUER).token("the-target", "api://AzureADTokenExchange")
    (lab.folder / "target.jwt").write_text(token)
    lab.stack.environment["XTSYNC_SOURCE_CERTIFICATE_PASSWORD"] = "the-password"
    for variable in ("XTSYNC_SOURCE_CLIENT_SECRET", "XTSYNC_TARGET_CLIENT_SECRET"):
        monkeypatch.delenv(variable, raising=False)
    said = xtsync("doctor", "-s", "dev", "--json")
    found = {(one["side"], one["area"]): one["level"] for one in said.document}
    assert (found["source", "sign-in"], found["target", "sign-in"]) == ("ok", "ok")
    (lab.folder / "target.jwt").unlink()
    lab.stack.environment["XTSYNC_SOURCE_CERTIFICATE_PASSWORD"] = "wrong"
    found = {(one["side"], one["area"]): one for one in xtsync("doctor", "-s", "dev", "--json").document}
    assert "the password is wrong, or the file damaged" in found["source", "sign-in"]["found"]
    assert "target.jwt cannot be read" in found["target", "sign-in"]["found"]
    assert "the-password" not in said.out
