"""What an administrator reads when a tenant cannot be worked in: the exact text, against an emulated tenant."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import certifi
import pytest

from lab import world
from lab.entra import Entra, Fault, Server, serve
from tests.sign_ins import connected
from tests.unit.graph_fakes import SettableClock
from xtsync_resources.graph.call import Call
from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clouds import Endpoints
from xtsync_resources.graph.connect import fetch_endpoints
from xtsync_resources.graph.credentials import TokenSource, credential_for
from xtsync_resources.graph.errors import TenantName, XtsyncError
from xtsync_resources.graph.sign_in import Secrets, SignIn
from xtsync_resources.graph.transport import HttpsTransport
from xtsync_resources.partner_policy.calls import get_partner
from xtsync_resources.sync_job.calls import validate_credentials

TENANT = TenantName("target", "Fabrikam", world.TARGET_TENANT)
PARTNER = world.SOURCE_TENANT
IN = f"in the target tenant Fabrikam ({world.TARGET_TENANT})"
READ = f"Failed to read the partner policy for {PARTNER} {IN}."
WHERE = f"GET /v1.0/policies/crossTenantAccessPolicy/partners/{PARTNER}"
SIGN_IN = f"Failed to sign in to the target tenant Fabrikam ({world.TARGET_TENANT})."


@dataclass
class Place:
    """An emulated tenant and how to sign in to it; each test spoils one thing."""

    entra: Entra
    server: Server
    tenant: TenantName = TENANT
    client_id: str = world.TARGET_CLIENT
    secret: str = world.TARGET_SECRET
    login: str = ""
    bundle: str = ""

    def text(self, call: Call | None = None) -> str:
        """What is said when a call fails; ids that differ each time are `<id>`."""
        with pytest.raises(XtsyncError) as caught:
            self.client().operation(20).send(call or get_partner(PARTNER))
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", self._known, str(caught.value))

    @staticmethod
    def _known(found: re.Match[str]) -> str:
        return found[0] if found[0] in (PARTNER, world.TARGET_TENANT, world.FOREIGN_TENANT) else "<id>"

    def client(self) -> GraphClient:
        transport, clock = HttpsTransport(), SettableClock()
        endpoints = fetch_endpoints(self.server.host, transport, clock)
        if self.bundle:
            transport._verify = self.bundle
        if self.login:
            endpoints = Endpoints(self.login, endpoints.graph)
        sign_in = SignIn(self.tenant, "secret", self.client_id, metadata_host=self.server.host)
        secrets = Secrets(lambda: self.secret)
        tokens = TokenSource(self.tenant, endpoints.scope, lambda: credential_for(sign_in, secrets, endpoints))
        return GraphClient(self.tenant, endpoints, tokens, transport, clock)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    entra = world.dev_world()
    with serve(entra) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield Place(entra, server)


def test_an_expired_secret(place: Place) -> None:
    place.entra.tenants[world.TARGET_TENANT].login.clients[world.TARGET_CLIENT].secret_expired = True
    assert place.text() == (
        f"{SIGN_IN}\n"
        "  Why: the client secret has expired (AADSTS7000222)\n"
        "  Do:  create a new client secret for the application of xtsync:target.clientId and put it where "
        "XTSYNC_TARGET_CLIENT_SECRET, or its _FILE or _COMMAND, says\n"
        "  Ref: trace id <id>"
    )


def test_a_token_of_another_tenant(place: Place) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"tid": world.FOREIGN_TENANT}).encode()).decode().rstrip("=")

    class Elsewhere:
        def get_token(self, *_scopes: str, **_options: Any) -> Any:
            return type("Token", (), {"token": f"e30.{claims}.c2ln"})

    client = place.client()
    client._tokens._make = Elsewhere
    with pytest.raises(XtsyncError) as caught:
        client.operation(20).send(get_partner(PARTNER))
    assert str(caught.value) == (
        f"{SIGN_IN}\n"
        f"  Why: the token is for tenant {world.FOREIGN_TENANT}\n"
        f"  Do:  sign in to the right tenant (`az login --tenant {world.TARGET_TENANT} --allow-no-subscriptions`), "
        "or correct xtsync:target.tenantId; no call was made"
    )
    assert not [call for call in place.entra.traffic if call.version]


def test_missing_consent(place: Place) -> None:
    tenant = place.entra.tenants[world.TARGET_TENANT]
    clients = tenant.login.clients
    clients[world.TARGET_CLIENT] = replace(clients[world.TARGET_CLIENT], permissions=frozenset())
    assert place.text() == (
        f"{READ}\n"
        "  Why: Microsoft Graph answered 403 Authorization_RequestDenied: Insufficient privileges to complete the "
        "operation.\n"
        "  Do:  give the signed-in application the application permission Policy.Read.All and "
        "consent to it, or (for `az login`) sign in as a person with the role Security Administrator\n"
        f"  Ref: {WHERE}, request-id <id>, client-request-id <id>"
    )


def test_an_unlicensed_tenant(place: Place) -> None:
    place.entra.faults.add(
        Fault(
            status=403,
            code="Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            message="Neither tenant is B2C or tenant doesn't have premium license",
            version="v1.0",
        )
    )
    assert place.text() == (
        f"{READ}\n"
        "  Why: Microsoft Graph answered 403 Authentication_RequestFromNonPremiumTenantOrB2CTenant: Neither tenant is "
        "B2C or tenant doesn't have premium license\n"
        "  Do:  give the tenant Microsoft Entra ID P1; without it this part of Graph is closed\n"
        f"  Ref: {WHERE}, request-id <id>, client-request-id <id>"
    )


def test_a_login_host_that_cannot_be_reached(place: Place) -> None:
    place.login = "https://localhost:1"
    assert place.text() == (
        f"{SIGN_IN}\n"
        "  Why: the login service cannot be reached: the connection was refused\n"
        "  Do:  check the network, proxy and (for private endpoints) REQUESTS_CA_BUNDLE"
    )


def test_an_untrusted_certificate(place: Place) -> None:
    place.bundle = certifi.where()
    assert place.text() == (
        f"{READ}\n"
        f"  Why: no answer from Microsoft Graph at https://{place.server.host}: the server's certificate is not "
        "trusted (CERTIFICATE_VERIFY_FAILED)\n"
        "  Do:  check the network, proxy and (for private endpoints) REQUESTS_CA_BUNDLE, then run the command again; "
        "nothing is done twice\n"
        f"  Ref: {WHERE}"
    )


def test_a_clock_far_off(place: Place) -> None:
    place.entra.faults.add(
        Fault(
            status=401,
            code="InvalidAuthenticationToken",
            message="Lifetime validation failed, the token is expired.",
            version="v1.0",
            times=2,
        )
    )
    assert place.text() == (
        f"{READ}\n"
        "  Why: Microsoft Graph answered 401 InvalidAuthenticationToken: Lifetime validation failed, the token is "
        "expired.\n"
        "  Do:  sign in again; if it persists, check this computer's clock and that the tenant's conditional access "
        "policies let this application in\n"
        f"  Ref: {WHERE}, request-id <id>, client-request-id <id>"
    )


def test_an_unknown_metadata_host() -> None:
    with pytest.raises(XtsyncError) as caught:
        connected(
            TENANT,
            kind="cli",
            client_id="",
            secret=str,
            cloud="public",
            metadata_host="localhost:1",
            clock=SettableClock(),
        )
    assert str(caught.value) == (
        "Failed to read the endpoints from https://localhost:1/metadata/endpoints?api-version=2022-09-01.\n"
        "  Why: the connection was refused\n"
        "  Do:  check xtsync:metadataHost; for a private certificate authority set REQUESTS_CA_BUNDLE"
    )


def test_a_policy_the_synchronization_service_does_not_see(place: Place) -> None:
    place.tenant = TenantName("source", "Contoso", world.SOURCE_TENANT)
    place.client_id, place.secret = world.SOURCE_CLIENT, world.SOURCE_SECRET
    tenant = place.entra.tenants[world.SOURCE_TENANT]
    owner = tenant.login.clients[world.SOURCE_CLIENT].object_id
    _, principal = tenant.applications.instantiate("518e5f48-1fc8-4c48-9387-9fdf28b0dfe7", "x", owner)
    text = place.text(validate_credentials(principal.id, "Azure2Azure", world.TARGET_TENANT))
    assert "has not enabled" in text
    assert "Do:  set automaticUserConsentSettings" in text
