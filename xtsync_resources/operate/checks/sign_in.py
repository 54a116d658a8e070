"""Login host, clock, tenant and sign-in: what comes before any call to Graph.

Source: https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...graph import json_reader
from ...graph.clouds import ACROSS_CLOUDS
from ...graph.headers import parse_date
from ...graph.refusals import NO_SUCH_TENANT, filled
from ...graph.transport import Response, TransportError
from .finding import Finding, Level, Look

WARN_SECONDS = 120
PAUSES = (0.5, 1.0)
# Parts of a cloud, as the login service abbreviates them.
SUB_SCOPES: Mapping[str, str] = {"GCC": "GCC", "DODCON": "GCC High", "DOD": "DoD"}
PROBLEM_SECONDS = 300  # what Microsoft's own services tolerate between two clocks
AREA, CLOCK, CLOUD = "login", "clock", "cloud"


@dataclass(frozen=True)
class Discovery:
    """What the login service tells everybody about a tenant; "" where it does not say.

    Attributes:
        region: such as WW, EU, USGov.
        cloud: the cloud's name, such as microsoftonline.com.
        graph: the host of its Graph.
    """

    region: str
    cloud: str
    graph: str


def check(look: Look) -> tuple[list[Finding], Discovery | None]:
    """Ask the login service about the tenant. Call: its OpenID document, without credentials."""
    host = look.client.endpoints.login
    try:
        answer = discover(look)
    except TransportError as error:
        do = "check the network, proxy and (for private endpoints) REQUESTS_CA_BUNDLE"
        return [look.not_reached(AREA, f"{host} cannot be reached: {error}", do)], None
    clock = clock_finding(look, answer.headers.get("date"), look.client.clock.now())
    findings, discovery = read_discovery(look, host, answer)
    return [*findings, *([clock] if clock else [])], discovery


def discover(look: Look) -> Response:
    """Ask the login service, and again after a cut connection: one lost answer is no finding.

    Raises:
        TransportError: it cannot be reached.
    """
    for pause in PAUSES:
        try:
            return look.client.discover()
        except TransportError as error:
            if error.permanent:
                raise
            look.client.clock.sleep(pause)
    return look.client.discover()


def read_discovery(look: Look, host: str, answer: Response) -> tuple[list[Finding], Discovery | None]:
    """What the login service's answer means."""
    try:
        document = json_reader.read(answer.body)
    except ValueError:
        document = {}
    if answer.status in (400, 404):
        do = filled(NO_SUCH_TENANT.do, look.client.tenant)
        return [look.problem(AREA, f"{host} knows no tenant {look.tenant.id}; nothing of it can be seen", do)], None
    if answer.status != 200 or not document.get("token_endpoint"):
        found = f"{host} answered {answer.status}, but not with what it knows of the tenant"
        return [look.warning(AREA, found, "run `xtsync doctor` again later; check that no proxy answers instead")], None
    texts = {name: str(document.get(name) or "") for name in document}
    graph = texts.get("msgraph_host", "")
    region = " ".join(
        word
        for word in (texts.get("tenant_region_scope", ""), SUB_SCOPES.get(texts.get("tenant_region_sub_scope", ""), ""))
        if word
    )
    discovery = Discovery(region, texts.get("cloud_instance_name", ""), graph)
    findings = [look.ok(AREA, f"{host} knows the tenant{f', region {region}' if region else ''}")]
    cloud = look.settings.cloud
    # A private login host may call its cloud what it likes.
    if not look.settings.metadata_host and discovery.cloud and discovery.cloud.lower() != cloud.instance:
        found = f"the tenant is in the cloud {discovery.cloud}{f' ({region})' if region else ''}, not in {cloud.name}"
        return [*findings, look.problem(CLOUD, found, f"check xtsync:cloud; {ACROSS_CLOUDS}")], discovery
    configured = look.client.endpoints.graph.removeprefix("https://")
    if graph and graph.lower() != configured.lower():
        found = f"the tenant's Graph is {graph}, but {configured} is configured"
        findings.append(look.warning(CLOUD, found, "check xtsync:cloud"))
    return findings, discovery


def clock_finding(look: Look, date: str | None, now: datetime) -> Finding | None:
    """This computer's clock against the `Date` of an answer; None where there is no date."""
    theirs = parse_date(date)
    if theirs is None:
        return None
    seconds = (now - theirs).total_seconds()
    size = abs(seconds)
    if size <= WARN_SECONDS:
        return look.ok(CLOCK, "this computer's clock agrees with the login service's")
    found = f"this computer's clock is {size / 60:.0f} minutes {'ahead' if seconds > 0 else 'behind'}"
    level = Level.PROBLEM if size > PROBLEM_SECONDS else Level.WARNING
    return Finding(look.side, CLOCK, level, found, "set the clock, best by a time server; tokens are refused otherwise")


def check_sign_in(look: Look) -> tuple[Finding, Mapping[str, Any]]:
    """Get a token, of the configured tenant; the client refuses any other.

    Raises:
        SignInError: there is none.
    """
    claims = look.client.claims(60 * look.settings.deadline_minutes)
    if delegated(claims):
        who = claims.get("upn") or claims.get("unique_name") or claims.get("oid") or "unknown"
        return look.ok("sign-in", f"signed in as {who}"), claims
    name = claims.get("app_displayname") or "the application"
    return look.ok("sign-in", f"signed in as {name} {claims.get('appid') or claims.get('azp') or ''}".strip()), claims


def delegated(claims: Mapping[str, Any]) -> bool:
    """Whether a person signed in, and not an application."""
    return "scp" in claims


def same_cloud(found: Mapping[str, Discovery | None]) -> list[Finding]:
    """Whether both tenants are in the same cloud, from what the login service says of each."""
    source, target = found.get("source"), found.get("target")
    if not source or not target or not source.cloud or not target.cloud:
        return []
    if source.cloud.lower() == target.cloud.lower():
        return [Finding("pair", CLOUD, Level.OK, f"both tenants are in {source.cloud}")]
    text = f"the tenants are in different clouds: {source.cloud} and {target.cloud}"
    return [Finding("pair", CLOUD, Level.PROBLEM, text, ACROSS_CLOUDS)]
