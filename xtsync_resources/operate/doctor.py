"""`xtsync doctor`: everything that can be known before any write, in both tenants, without any write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from ..config import GUID, SIDES
from ..graph import calls
from ..graph.errors import ForbiddenError, NotFoundError, SignInError, XtsyncError, printable
from ..graph.transport import TransportError
from ..service_principal import APPLICATION_TEMPLATE
from . import checks
from .checks import OK, PROBLEM, WARNING, Finding
from .needs import needs

if TYPE_CHECKING:
    from ..graph.client import Operation
    from .cli import Screen
    from .stack import Stack

COLOURS = {OK: "green", WARNING: "yellow", PROBLEM: "red"}
Check = Callable[[], Iterable[Finding]]


def guarded(side: str, area: str, check: Check) -> list[Finding]:
    """Run a check; one that cannot be carried out is a finding, not the end."""
    try:
        return list(check())
    except ForbiddenError as error:
        do = f"for this check give the application {error.call.permission}; nothing else needs it"
        return [Finding(side, area, WARNING, "could not be checked", do)]
    except XtsyncError as error:
        return [Finding(side, area, PROBLEM, f"{error.what}: {error.why}", error.do)]


def look_at(stack: Stack, side: str) -> Iterator[Finding]:
    """All findings of one tenant; without a sign-in there is nothing more to see."""
    try:
        operation = stack.operation(side)
        claims = operation.client.claims()
    except SignInError as error:
        yield Finding(side, "sign-in", PROBLEM, error.why, error.do)
        return
    except XtsyncError as error:
        yield Finding(side, "sign-in", PROBLEM, f"{error.what}: {error.why}", error.do)
        return
    yield Finding(side, "sign-in", OK, f"{operation.tenant.name}, as {claims.get('app_displayname') or who(claims)}")
    yield from checks.permissions(side, claims, needs(stack.settings)[side])
    for area, check in areas(stack, side, operation):
        stack.status(f"{side}: {area}")
        yield from guarded(side, area, check)


def who(claims: Any) -> str:
    """Whom a token belongs to."""
    return str(claims.get("upn") or claims.get("appid") or claims.get("oid") or "somebody")


def areas(stack: Stack, side: str, operation: Operation) -> list[tuple[str, Check]]:
    """What is looked at in a tenant, in order."""
    found: list[tuple[str, Check]] = [
        ("clock", lambda: [check_clock(side, operation)]),
        ("partner policy", lambda: check_policies(stack, side, operation)),
    ]
    if side == "source" or stack.settings.inbound_trust:
        found.append(("licence", lambda: [check_licence(side, operation)]))
    if side == "source":
        found.append(("template", lambda: [check_template(operation)]))
        found.append(("scope", lambda: check_scope(stack, operation)))
    else:
        found.append(("invitations", lambda: [checks.invitations(operation.send(calls.get_authorization_policy()))]))
    return found


def check_clock(side: str, operation: Operation) -> Finding:
    """This computer's clock by the login service's, and whether that knows the tenant.

    Call: GET {login}/{tenant}/v2.0/.well-known/openid-configuration, without a token.
    """
    try:
        answer = operation.client.discover()
    except TransportError as error:
        return Finding(side, "clock", WARNING, f"could not be checked: {error}")
    if answer.status != 200:
        do = "check the tenant id and xtsync:cloud; pairs across clouds are not supported"
        return Finding(side, "cloud", PROBLEM, "the login service of this cloud does not know the tenant", do)
    document = json.loads(answer.body)
    try:
        there = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return Finding(side, "clock", OK, f"not told; cloud {document.get('cloud_instance_name') or 'as configured'}")
    return checks.clock(side, (there - operation.client.clock.now()).total_seconds())


def check_licence(side: str, operation: Operation) -> Finding:
    """What the tenant has bought. Call: GET subscribedSkus (LicenseAssignment.Read.All)."""
    return checks.licence(side, operation.pages(calls.list_licences()))


def check_template(operation: Operation) -> Finding:
    """The gallery application. Call: GET applicationTemplates/{id}."""
    try:
        operation.send(calls.get_application_template(APPLICATION_TEMPLATE))
    except NotFoundError:
        do = "ask Microsoft support: without it no configuration can be made in this cloud"
        return Finding("source", "template", PROBLEM, "the gallery application is not there", do)
    return Finding("source", "template", OK, "the gallery application is there")


def check_policies(stack: Stack, side: str, operation: Operation) -> Iterator[Finding]:
    """The partner policy today and the defaults. Calls: GET partners/{id}, identitySynchronization, default."""
    partner = stack.settings.target.id if side == "source" else stack.settings.source.id
    found = operation.read(calls.get_partner(partner))
    sync = operation.read(calls.get_identity_sync(partner)) if found is not None else None
    yield checks.partner(side, found, sync, stack.settings.on_existing)
    yield checks.defaults(side, operation.send(calls.get_policy_defaults()), found)


def check_scope(stack: Stack, operation: Operation) -> list[Finding]:
    """Who is in scope, and who would be skipped.

    Calls: GET users/{id} each, GET groups by name or id, GET groups/{id}/members (User.Read.All, Group.Read.All).
    """
    people: dict[str, Any] = {}
    unknown: list[str] = []
    for name in stack.settings.users:
        user = operation.read(calls.get_user(name))
        unknown += [] if user else [name]
        people |= {str(user["id"]): user} if user else {}
    for name in stack.settings.groups:
        group = find_group(operation, name)
        if group is None:
            unknown.append(name)
            continue
        people |= {str(person["id"]): person for person in operation.pages(calls.list_members(group))}
    return checks.scope(people, unknown)


def find_group(operation: Operation, name: str) -> str | None:
    """A group's object id."""
    if GUID.fullmatch(name):
        found = operation.read(calls.get_group(name))
    else:
        found = next(iter(operation.pages(calls.find_groups(name))), None)
    return str(found["id"]) if found else None


# --- the command -----------------------------------------------------------------------------------------------


def as_table(findings: Iterable[Finding]) -> Table:
    """Findings as rows; what is to be done stands below what was found."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("tenant", "check", ""):
        table.add_column(column, no_wrap=True)
    table.add_column("finding", overflow="fold")
    for finding in findings:
        words = Text(printable(finding.found))
        if finding.do and finding.level != OK:
            words.append(f"\nDo: {printable(finding.do)}", style="bold")
        table.add_row(finding.side, finding.area, Text(finding.level, style=COLOURS[finding.level]), words)
    return table


def command(stack: Stack, screen: Screen) -> int:
    """Look at both tenants at once, and report; 1 if there is a problem."""
    with ThreadPoolExecutor(len(SIDES)) as pool:
        found = [finding for side in pool.map(lambda side: list(look_at(stack, side)), SIDES) for finding in side]
    counts = {level: sum(finding.level == level for finding in found) for level in (PROBLEM, WARNING, OK)}
    if screen.as_json:
        screen.json([asdict(finding) for finding in found])
    else:
        screen.print(as_table(found))
        screen.print(f"{counts[PROBLEM]} problems, {counts[WARNING]} warnings, {counts[OK]} ok. Nothing was changed.")
    return 1 if counts[PROBLEM] else 0
