"""The lab's tenants without a network: a transport for clients of this process, whose answers a test can change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from azure.core.credentials import AccessToken

from lab import world
from lab.entra import Entra
from lab.entra.gateway import Incoming, respond
from tests.unit.graph_fakes import Reply, SettableClock
from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clock import Clock
from xtsync_resources.graph.clouds import Endpoints
from xtsync_resources.graph.credentials import TokenSource
from xtsync_resources.graph.errors import TenantName
from xtsync_resources.graph.transport import Request, Response, TransportError

URL = "https://localhost"
PARTNERS = "/policies/crossTenantAccessPolicy/partners"
TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
SECRETS = {
    world.SOURCE_TENANT: (world.SOURCE_CLIENT, world.SOURCE_SECRET),
    world.TARGET_TENANT: (world.TARGET_CLIENT, world.TARGET_SECRET),
}
Call = tuple[str, str]  # method, and path without ids
Change = Callable[[Any], Any]
Intervention = Callable[[str, str], Reply | None]


@dataclass
class InMemory:
    """Answers as the lab does.

    Attributes:
        entra: the tenants.
        requests: what clients have sent, in order.
        interventions: each sees method and URL of a request and may answer in the lab's stead (None: it does not).
        seen: each call whose answer was JSON, once, with that answer.
        strange: the calls whose answers are changed, and how.
    """

    entra: Entra = field(default_factory=world.dev_world)
    requests: list[Request] = field(default_factory=list)
    interventions: list[Intervention] = field(default_factory=list)
    seen: dict[Call, Any] = field(default_factory=dict)
    strange: dict[Call, Change] = field(default_factory=dict)

    def client(self, tenant: TenantName, clock: Clock | None = None) -> GraphClient:
        tokens = TokenSource(tenant, f"{URL}/.default", lambda: self.credential(tenant.id))
        return GraphClient(tenant, Endpoints(URL, URL), tokens, self, clock or SettableClock())

    def once(self, method: str, ending: str, reply: Reply | Callable[[], Reply | None]) -> None:
        """Answer the first matching request so; what is called and gives None leaves the answer to the lab."""

        def intervene(verb: str, url: str) -> Reply | None:
            if verb != method or not url.endswith(ending):
                return None
            self.interventions.remove(intervene)
            return reply() if callable(reply) else reply

        self.interventions.append(intervene)

    @property
    def calls(self) -> list[str]:
        """Method and last path segment of each request."""
        return [f"{request.method} {request.url.rsplit('/', 1)[1]}" for request in self.requests]

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET")]

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        for intervention in list(self.interventions):
            reply = intervention(request.method, request.url)
            if isinstance(reply, TransportError):
                raise reply
            if reply is not None:
                return reply
        answer = self.answer(request.method, request.url, request.headers, request.body or b"")
        if answer.status >= 300 or not answer.body:
            return answer
        call = (request.method, generic(urlsplit(request.url).path))
        self.seen.setdefault(call, json.loads(answer.body))
        if call not in self.strange:
            return answer
        document = self.strange[call](json.loads(answer.body))
        return Response(answer.status, answer.headers, json.dumps(document).encode())

    def answer(self, method: str, url: str, headers: Any, body: bytes) -> Response:
        parts = urlsplit(url)
        lowered = {name.lower(): value for name, value in headers.items()}
        query = dict(parse_qsl(parts.query))
        found = respond(self.entra, Incoming(URL, method, unquote(parts.path), query, lowered, body))
        assert found.status != 501, f"the lab does not know {method} {url}"
        return Response(found.status, {name.lower(): value for name, value in found.headers.items()}, found.body)

    def token(self, tenant: str) -> str:
        client, secret = SECRETS[tenant]
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        body = urlencode({**form, "scope": f"{URL}/.default"}).encode()
        found = self.answer("POST", f"{URL}/{tenant}/oauth2/v2.0/token", {}, body)
        token: str = json.loads(found.body)["access_token"]
        return token

    def ask(self, tenant: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token(tenant)}", "Content-Type": "application/json"}
        found = self.answer(method, f"{URL}/v1.0{path}", headers, b"" if body is None else json.dumps(body).encode())
        assert found.status < 300, found.body
        return json.loads(found.body) if found.body else {}

    def credential(self, tenant: str) -> LabCredential:
        return LabCredential(self, tenant)

    def configuration(self) -> str:
        """A configuration application: its service principal."""
        answer = self.ask(
            world.SOURCE_TENANT, "POST", f"/applicationTemplates/{TEMPLATE}/instantiate", {"displayName": "Fabrikam"}
        )
        principal: str = answer["servicePrincipal"]["id"]
        return principal

    def job(self, principal: str) -> str:
        """A job that was never started."""
        path = f"/servicePrincipals/{principal}/synchronization/jobs"
        made: str = self.ask(world.SOURCE_TENANT, "POST", path, {"templateId": "Azure2Azure"})["id"]
        return made

    def role(self, principal: str) -> str:
        found: str = self.ask(world.SOURCE_TENANT, "GET", f"/servicePrincipals/{principal}")["appRoles"][0]["id"]
        return found

    def assign(self, principal: str) -> None:
        """Put those in scope whom Pulumi.dev.yaml names."""
        directory = self.entra.tenants[world.SOURCE_TENANT].directory
        group = next(one.id for one in directory.groups.values() if one.display_name == "Finance")
        for somebody in (directory.user("alice@contoso.com").id, group):
            body = {"appRoleId": self.role(principal), "principalId": somebody, "resourceId": principal}
            self.ask(world.SOURCE_TENANT, "POST", f"/servicePrincipals/{principal}/appRoleAssignedTo", body)

    def policies(self) -> None:
        """Both tenants let the pair synchronize."""
        source, target = world.SOURCE_TENANT, world.TARGET_TENANT
        consents = {source: {"inboundAllowed": True}, target: {"outboundAllowed": True}}
        for partner, consent in consents.items():
            body = {"tenantId": partner, "automaticUserConsentSettings": consent}
            self.ask(target if partner == source else source, "POST", PARTNERS, body)
        sync = {"userSyncInbound": {"isSyncAllowed": True}, "displayName": "Fabrikam"}
        self.ask(target, "PUT", f"{PARTNERS}/{source}/identitySynchronization", sync)

    def pair(self) -> dict[str, str]:
        """A whole pair that has run, as a stack's outputs say it."""
        self.policies()
        principal = self.configuration()
        job = self.job(principal)
        source, base = world.SOURCE_TENANT, f"/servicePrincipals/{principal}/synchronization"
        settings = {"AuthenticationType": "SyncPolicy", "CompanyId": world.TARGET_TENANT, "SyncAll": "false"}
        settings["SyncNotificationSettings"] = (
            '{"Enabled": true, "Recipients": "a@b.c", "DeleteThresholdEnabled": true}'
        )
        secrets = {"value": [{"key": key, "value": value} for key, value in settings.items()]}
        self.ask(source, "PUT", f"{base}/secrets", secrets)
        self.assign(principal)
        self.ask(source, "POST", f"{base}/jobs/{job}/start")
        self.entra.clock.advance(minutes=41)
        self.entra.run_due_cycles()
        return {"servicePrincipalId": principal, "jobId": job}


@dataclass(frozen=True)
class LabCredential:
    """What azure-identity's credentials do."""

    lab: InMemory
    tenant: str

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self.lab.token(self.tenant), 2**31)


def generic(path: str) -> str:
    """A path without the ids in it, so that it is the same in another world."""
    return "/".join("*" if any(c.isdigit() for c in part) and len(part) > 8 else part for part in path.split("/"))
