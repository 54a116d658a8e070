"""The lab's tenants without a network: a transport for clients of this process, whose answers can be made strange."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from azure.core.credentials import AccessToken

from lab import world
from lab.entra import Entra
from lab.entra.gateway import Incoming, respond
from xtsync_resources.graph.transport import Request, Response

URL = "https://localhost"
TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
SECRETS = {
    world.SOURCE_TENANT: (world.SOURCE_CLIENT, world.SOURCE_SECRET),
    world.TARGET_TENANT: (world.TARGET_CLIENT, world.TARGET_SECRET),
}
Change = Callable[[Any], Any]


@dataclass
class InMemory:
    """Answers as the lab does.

    Attributes:
        entra: the tenants.
        seen: each call whose answer was JSON, once, with that answer.
        strange: the call whose answers are changed, and how.
    """

    entra: Entra = field(default_factory=world.dev_world)
    seen: dict[tuple[str, str], Any] = field(default_factory=dict)
    strange: tuple[tuple[str, str], Change] | None = None

    def send(self, request: Request) -> Response:
        answer = self.answer(request.method, request.url, request.headers, request.body or b"")
        if answer.status >= 300 or not answer.body:
            return answer
        call = (request.method, generic(urlsplit(request.url).path))
        document = self.seen.setdefault(call, json.loads(answer.body))
        if self.strange is None or self.strange[0] != call:
            return answer
        document = self.strange[1](json.loads(answer.body))
        return Response(answer.status, answer.headers, json.dumps(document).encode())

    def answer(self, method: str, url: str, headers: Any, body: bytes) -> Response:
        parts = urlsplit(url)
        lowered = {name.lower(): value for name, value in headers.items()}
        query = dict(parse_qsl(parts.query))
        found = respond(self.entra, Incoming(URL, method, unquote(parts.path), query, lowered, body))
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

    def pair(self) -> dict[str, str]:
        """A whole pair that has run, as a stack's outputs say it."""
        source, target = world.SOURCE_TENANT, world.TARGET_TENANT
        partners = "/policies/crossTenantAccessPolicy/partners"
        consents = {source: {"inboundAllowed": True}, target: {"outboundAllowed": True}}
        for partner, consent in consents.items():
            body = {"tenantId": partner, "automaticUserConsentSettings": consent}
            self.ask(target if partner == source else source, "POST", partners, body)
        sync = {"userSyncInbound": {"isSyncAllowed": True}, "displayName": "Fabrikam"}
        self.ask(target, "PUT", f"{partners}/{source}/identitySynchronization", sync)
        principal = self.configuration()
        base = f"/servicePrincipals/{principal}/synchronization"
        job: str = self.ask(source, "POST", f"{base}/jobs", {"templateId": "Azure2Azure"})["id"]
        settings = {"AuthenticationType": "SyncPolicy", "CompanyId": target, "SyncAll": "false"}
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


# --- strangeness -----------------------------------------------------------------------------------------------

DATES = ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "P9999999999999D")
TEXTS = ("", "x", "[[[", "\u202e\x1b[31m", "../..", "y" * 5000)
OTHERS: tuple[Any, ...] = (None, True, -1, 5, 1.5, 2**62, [], [5], [None], [[]], {}, {"a": []}, {"targets": [5]})
STRANGE: tuple[Any, ...] = (*DATES, *TEXTS, *OTHERS)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Everything in a document that can be replaced, from the whole on; of a list its first item."""
    yield path
    for key, part in (
        value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    ):
        yield from places(part, (*path, key))


def replacing(path: tuple[Any, ...], new: Any) -> Change:
    """Put something else in a place, or take what is there away (`...`)."""

    def change(document: Any) -> Any:
        if not path:
            return {} if new is ... else new
        found = document
        try:
            for key in path[:-1]:
                found = found[key]
            if new is ...:
                del found[path[-1]]
            else:
                found[path[-1]] = new
        except (KeyError, IndexError, TypeError):  # another answer to the same call has no such place
            pass
        return document

    return change
