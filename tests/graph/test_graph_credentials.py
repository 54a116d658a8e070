"""Signing in with each kind: what is refused before any call, and what the login service's refusals become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from lab import world
from lab.entra import Entra, Server, serve
from lab.entra.login.assertions import FederatedCredential
from lab.entra.workload import urls
from lab.entra.workload.models import Pipeline
from tests.proofs import Proof, self_signed
from tests.sign_ins import connected
from tests.unit.graph_fakes import TARGET, TARGET_ID, ScriptedTransport, SettableClock, answer, jwt
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.graph.credentials import SPARE_SECONDS, TokenSource
from xtsync_resources.graph.errors import SignInError, TenantName, XtsyncError
from xtsync_resources.graph.federated import FederatedTokens
from xtsync_resources.graph.refusals import REFUSALS, explain
from xtsync_resources.graph.transport import TransportError
from xtsync_resources.partner_policy.calls import get_partner

TENANT = TenantName("target", "Fabrikam", world.TARGET_TENANT)
SIGN_IN = f"Failed to sign in to the target tenant Fabrikam ({world.TARGET_TENANT}).\n"
REQUEST_TOKEN = "a-request-token"
VARIABLES = (
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "AZURE_FEDERATED_TOKEN_FILE",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
)


@dataclass
class Place:
    """An emulated tenant, and how to sign in to it."""

    entra: Entra
    server: Server
    folder: Path

    @property
    def client(self) -> Any:
        return self.entra.tenants[world.TARGET_TENANT].login.clients[world.TARGET_CLIENT]

    def sign_in(self, kind: str, client_id: str = world.TARGET_CLIENT, **how: Any) -> Any:
        more = {"secret": str, "cloud": "public", "metadata_host": self.server.host, "clock": SettableClock(), **how}
        client = connected(TENANT, kind=kind, client_id=client_id, **more)
        return client.operation(20).read(get_partner(world.SOURCE_TENANT))

    def refused(self, kind: str, **how: Any) -> str:
        with pytest.raises(XtsyncError) as caught:
            self.sign_in(kind, **how)
        assert not [call for call in self.entra.traffic if call.version]
        text = str(caught.value)
        assert text.startswith(SIGN_IN), text
        assert "\n  Do:  " in text
        return text.removeprefix(SIGN_IN)

    def written(self, proof: Proof, name: str, password: str = "") -> str:
        return str(proof.write(self.folder / name, password))


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Place]:
    entra = world.dev_world()
    with serve(entra) as server:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield Place(entra, server, tmp_path)


# --- certificates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["proof.pem", "proof.pfx"])
@pytest.mark.parametrize("password", ["", "the-password"])
def test_a_certificate_signs_in(place: Place, name: str, password: str) -> None:
    proof = self_signed()
    place.client.certificates = [proof.certificate]
    assert (
        place.sign_in("certificate", certificate_path=place.written(proof, name, password), password=lambda: password)
        is None
    )


def test_a_password_that_is_not_needed_does_no_harm(place: Place) -> None:
    proof = self_signed()
    place.client.certificates = [proof.certificate]
    path = place.written(proof, "proof.pem")
    assert place.sign_in("certificate", certificate_path=path, password=lambda: "unused") is None


def test_the_certificate_of_the_key_is_found_among_its_chain(place: Place) -> None:
    proof, other = self_signed(), self_signed(1)
    place.client.certificates = [proof.certificate]
    chain = other.certificate.public_bytes(Encoding.PEM) + proof.pem()
    (place.folder / "chain.pem").write_bytes(chain)
    assert place.sign_in("certificate", certificate_path=str(place.folder / "chain.pem")) is None


def unusable(place: Place) -> dict[str, tuple[str, str, str]]:
    """By case: the file, the password given, the words."""
    files = place.folder
    proof, other = self_signed(), self_signed(1)
    (files / "key.pem").write_bytes(proof.pem().split(b"-----BEGIN CERTIFICATE")[0])
    (files / "certificate.pem").write_bytes(proof.certificate.public_bytes(Encoding.PEM))
    (files / "mixed.pem").write_bytes(Proof(proof.key, other.certificate).pem())
    (files / "text.pem").write_text("hello")
    (files / "broken.pem").write_bytes(proof.pem().replace(b"MII", b"MIJ"))
    elliptic = place.written(self_signed(key=ec.generate_private_key(ec.SECP256R1())), "elliptic.pem")
    secret = place.written(proof, "secret.pfx", "right")
    secret_pem = place.written(proof, "secret.pem", "right")
    return {
        "missing": (str(files / "nowhere.pfx"), "", "cannot be read (No such file or directory)"),
        "folder": (str(files), "", "is a folder"),
        "text": (str(files / "text.pem"), "", "is neither PEM nor PKCS#12"),
        "key only": (str(files / "key.pem"), "", "has no certificate in it"),
        "certificate only": (str(files / "certificate.pem"), "", "has no private key in it"),
        "another's key": (str(files / "mixed.pem"), "", "is not the certificate's"),
        "broken": (str(files / "broken.pem"), "", "cannot be understood"),
        "elliptic": (elliptic, "", "is not RSA"),
        "wrong password": (secret, "wrong", "the password is wrong, or the file damaged"),
        "no password": (secret, "", "has a password, or is no PKCS#12 file"),
        "wrong password, PEM": (secret_pem, "wrong", "the password is wrong, or the file damaged"),
        "no password, PEM": (secret_pem, "", "export XTSYNC_TARGET_CERTIFICATE_PASSWORD"),
        "old": (place.written(self_signed(begins=-9, days=-2), "old.pfx"), "", "expired on 20"),
        "future": (place.written(self_signed(begins=2), "future.pfx"), "", "is not valid before 20"),
    }


def test_a_certificate_that_cannot_be_used_is_refused_in_words(place: Place) -> None:
    for case, (path, password, words) in unusable(place).items():
        text = place.refused("certificate", certificate_path=path, password=lambda password=password: password)
        assert words in text, (case, text)
        assert path in text, case
        assert "right" not in text
    assert place.entra.traffic == [] or all("token" not in call.path for call in place.entra.traffic)


def test_an_unregistered_certificate_is_refused_by_the_login_service(place: Place) -> None:
    text = place.refused("certificate", certificate_path=place.written(self_signed(), "proof.pfx"))
    assert "the certificate is not registered with the application (AADSTS700027)" in text
    assert "upload the certificate (not its key) of xtsync:target.certificatePath" in text


# --- federated tokens ------------------------------------------------------------------------------------------


def federate(place: Place, issuer: str = "https://issuer.example", audience: str = "api://AzureADTokenExchange") -> Any:
    place.client.federated = [FederatedCredential(issuer, "us", audience)]
    return place.entra.workloads.issuer(issuer)


def test_a_token_file_signs_in_and_is_read_each_time(place: Place) -> None:
    issuer, file = federate(place), place.folder / "token"
    file.write_text(issuer.token("us", "api://AzureADTokenExchange", seconds=-60))
    text = place.refused("oidc", token_file=str(file))
    assert "the federated token is outside its time range" in text
    file.write_text(issuer.token("us", "api://AzureADTokenExchange") + "\n")
    assert place.sign_in("oidc", token_file=str(file)) is None


@pytest.mark.parametrize(("cloud", "audience"), [(name, cloud.token_audience) for name, cloud in CLOUDS.items()])
def test_a_github_token_is_for_the_audience_of_the_cloud(
    place: Place, monkeypatch: pytest.MonkeyPatch, cloud: str, audience: str
) -> None:
    place.entra.workloads.github = Pipeline(federate(place, audience=audience), "us", REQUEST_TOKEN)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{place.server.url}{urls.GITHUB}?api-version=2.0")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
    assert place.sign_in("oidc", cloud=cloud) is None
    asked = next(call for call in place.entra.traffic if call.path == urls.GITHUB)
    assert asked.query == {"api-version": "2.0", "audience": audience}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"subject": "them"}, "has the token's subject: the token's subject is them (AADSTS700213)"),
        (
            {"audience": "api://AzureADTokenExchangeChina"},
            "has the token's audience: the token's audience is api://AzureADTokenExchangeChina (AADSTS700212)",
        ),
        ({"iss": "https://other"}, "has the token's issuer: the token's issuer is https://other (AADSTS700211)"),
    ],
)
def test_a_token_that_does_not_fit_is_told_with_what_it_says(place: Place, changed: dict[str, str], words: str) -> None:
    token = federate(place).token(**{"subject": "us", "audience": "api://AzureADTokenExchange", **changed})
    (place.folder / "token").write_text(token)
    text = place.refused("oidc", token_file=str(place.folder / "token"))
    assert words in text
    assert "xtsync permissions --federate" in text
    assert token not in text


def tokens(environment: dict[str, str], *replies: Any, **how: str) -> tuple[FederatedTokens, ScriptedTransport]:
    given = {"token_file": "", "service_connection_id": "", **how}
    transport = ScriptedTransport(*replies)
    audience = CLOUDS["public"].token_audience
    return FederatedTokens(
        TENANT, audience=audience, environment=environment, transport=transport, clock=SettableClock(), **given
    ), transport


GITHUB = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://github.example/t?x=1",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
}
DEVOPS = {"SYSTEM_OIDCREQUESTURI": "https://devops.example/t", "SYSTEM_ACCESSTOKEN": REQUEST_TOKEN}
CONNECTION = {"service_connection_id": "sc 1"}


@pytest.mark.parametrize(
    ("environment", "how", "replies", "words"),
    [
        ({}, {}, [], "ACTIONS_ID_TOKEN_REQUEST_TOKEN (GitHub Actions) or AZURE_FEDERATED_TOKEN_FILE not set"),
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x"}, {}, [], "token: ACTIONS_ID_TOKEN_REQUEST_TOKEN not set"),
        ({}, CONNECTION, [], "SYSTEM_OIDCREQUESTURI and SYSTEM_ACCESSTOKEN not set"),
        ({**GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL": "http://plain"}, {}, [], "it is not an https URL"),
        (GITHUB, {}, [answer(401)], "ACTIONS_ID_TOKEN_REQUEST_URL answered 401"),
        (GITHUB, {}, [answer(302)], "answered 302"),
        (GITHUB, {}, [answer(200, {"value": ""})], "answered without one"),
        (GITHUB, {}, [answer(200, ["a proxy"])], "answered without one"),
        (GITHUB, {}, [TransportError("no certificate", unsent=True)], "cannot be reached: no certificate"),
        (GITHUB, {}, [answer(503)] * 5, "answered 503"),
        (DEVOPS, CONNECTION, [answer(404, {"message": "no"})], "SYSTEM_OIDCREQUESTURI answered 404"),
    ],
)  # fmt: skip
def test_a_token_that_is_not_to_be_had_is_explained(
    environment: dict[str, str], how: dict[str, str], replies: list[Any], words: str
) -> None:
    found, transport = tokens(environment, *replies, **how)
    with pytest.raises(SignInError) as caught:
        found.current()
    assert words in caught.value.why
    assert caught.value.do
    assert REQUEST_TOKEN not in str(caught.value)
    assert transport.replies == []


def test_a_pipeline_is_asked_as_it_documents_and_again_after_a_lost_answer() -> None:
    lost = TransportError("cut", unsent=False)
    found, transport = tokens(GITHUB, lost, answer(200, {"value": "one"}), answer(200, {"value": "two"}))
    assert (found.current(), found.current()) == ("one", "two")
    request = transport.requests[-1]
    assert request.method == "GET"
    assert request.url == "https://github.example/t?x=1&audience=api%3A%2F%2FAzureADTokenExchange"
    assert request.headers["Authorization"] == f"Bearer {REQUEST_TOKEN}"
    found, transport = tokens({**GITHUB, **DEVOPS}, answer(200, {"oidcToken": "three"}), **CONNECTION)
    assert found.current() == "three"
    assert transport.requests[0].method == "POST"
    assert transport.requests[0].url == "https://devops.example/t?api-version=7.1&serviceConnectionId=sc+1"


# --- managed identities and refusals ---------------------------------------------------------------------------


def test_a_managed_identity_that_is_not_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{place.server.url}{urls.APP_SERVICE}")
    monkeypatch.setenv("IDENTITY_HEADER", place.entra.workloads.identity_header)
    text = place.refused("managedIdentity")
    assert "App Service managed identity" in text
    assert "run where an identity is assigned" in text
    assert "az login" not in text


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_known_refusal_is_one_message_with_a_remedy(code: str) -> None:
    error = ClientAuthenticationError(message=f"Authentication failed: AADSTS{code}: Something. Trace ID: t-1 More: x")
    found = explain(TENANT, error, "certificate")
    assert (found.why.endswith(f"(AADSTS{code})"), found.reference) == (True, "trace id t-1")
    assert found.do
    assert "{" not in found.do


@pytest.mark.parametrize(
    ("text", "kind", "why", "do"),
    [
        ("AADSTS700027: x [Reason - The key used is expired.", "certificate", "outside of its time", "new certificate"),
        ("AADSTS700024: x", "secret", "this computer's clock is wrong", "set this computer's clock"),
        ("AADSTS900382: x", "secret", "in another cloud", "its job template is not documented"),
        (
            "AADSTS90002: x",
            "secret",
            "no such tenant in this cloud",
            "`XTSYNC_FORGET=target pulumi destroy` ends the other half",
        ),
        ("AADSTS7000216: x", "secret", "AADSTS7000216", "check xtsync:target.auth"),
    ],
)
def test_a_code_is_taken_whole_and_by_kind(text: str, kind: str, why: str, do: str) -> None:
    found = explain(TENANT, ClientAuthenticationError(message=text), kind)
    assert why in found.why
    assert do in found.do


def test_what_is_unavailable_depends_on_the_kind() -> None:
    gone = CredentialUnavailableError(message="nothing there")
    assert explain(TENANT, gone, "cli").do == f"run `az login --tenant {world.TARGET_TENANT} --allow-no-subscriptions`"
    assert "home tenant only" in explain(TENANT, gone, "managedIdentity").do


def test_an_unknown_kind_is_refused(place: Place) -> None:
    text = place.refused("magic")
    assert "set xtsync:target.auth to cli, secret, certificate, oidc or managedIdentity" in text


class _Counting:
    """Gives another token each time, good for an hour of the clock."""

    def __init__(self, clock: SettableClock) -> None:
        self.clock, self.given = clock, 0

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.given += 1
        return AccessToken(jwt(TARGET_ID, self.given), int(self.clock.now().timestamp()) + 3600)


def test_a_token_is_kept_until_shortly_before_its_end_or_until_it_is_refused() -> None:
    clock = SettableClock()
    credential = _Counting(clock)
    tokens = TokenSource(TARGET, "scope", lambda: credential, "cli", clock)
    first = tokens.token()
    clock.sleep(3600 - SPARE_SECONDS - 1)
    assert tokens.token() == first
    assert credential.given == 1
    clock.sleep(1)
    second = tokens.token()
    assert (second != first, credential.given) == (True, 2)
    tokens.renew(first)
    assert tokens.token() == second
    tokens.renew(second)
    assert tokens.token() not in (first, second)
