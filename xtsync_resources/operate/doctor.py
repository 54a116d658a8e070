"""`xtsync doctor`: everything that can be known before any write, in both tenants, without any write.

A check that fails does not end the others; both tenants are looked at at the same time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import records
from ..config import SIDES
from ..graph.errors import ConfigurationError, NoAnswerError, SignInError, SignInUnansweredError, XtsyncError
from ..state import type_token
from ..sync_scope.principals import meant
from .checks import (
    Finding,
    Level,
    Look,
    collaboration,
    configuration,
    ending,
    guardrails,
    licence,
    people,
    permissions,
    policies,
    sign_in,
    synchronization,
)
from .checks.finding import counted
from .choices import exit_code
from .gone import urn_of_job
from .recorded import recorded_of, remembered
from .screen import Rows, line

if TYPE_CHECKING:
    from ..program.stack_state import Recorded
    from .recorded import Remembered
    from .screen import Line, Screen
    from .stack import Stack

# Checks of a tenant that ask at the same time, which is far below the limits of Graph.
AT_ONCE = 4
COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}


@dataclass(frozen=True)
class Check:
    """One check of Graph, and the sides it makes sense for."""

    area: str
    look: Callable[[Look], list[Finding]]
    sides: tuple[str, ...] = SIDES


CHECKS = (
    Check("cloud", licence.check_cloud, ("source",)),
    Check("licence", licence.check),
    Check("template", licence.check_template, ("source",)),
    Check(configuration.AREA, configuration.check, ("source",)),
    Check(synchronization.AREA, synchronization.check, ("source",)),
    Check("partner", policies.check_known),
    Check(policies.AREA, policies.check_partner),
    Check(collaboration.AREA, collaboration.check),
    Check(policies.INVITATIONS, policies.check_invitations, ("target",)),
    Check(people.AREA, people.check, ("source",)),
    Check(ending.AREA, ending.check, ("source",)),
)


@dataclass(frozen=True)
class Examined:
    """What was found in one tenant."""

    findings: Sequence[Finding]
    discovery: sign_in.Discovery | None = None


# --- the order of the checks -----------------------------------------------------------------------------------


def examine(look: Look, status: Callable[[str], None], checks: Sequence[Check] = CHECKS) -> Examined:
    """Make the checks of one tenant, some at the same time; findings come in the order of the checks."""
    status(f"{look.tenant.name}: login and sign-in")
    findings, discovery = sign_in.check(look)
    try:
        signed_in, claims = sign_in.check_sign_in(look)
    except SignInError as error:
        # That a tenant whom the login service does not know lets nobody in is no second problem.
        if any(one.area == sign_in.AREA and one.level is Level.PROBLEM for one in findings):
            return Examined(findings, discovery)
        found = f"{error.why}; no call could be made in this tenant"
        return Examined([*findings, no_access(look, "sign-in", error, found)], discovery)
    findings += [signed_in, *permissions.check(look, claims), *made(checks, look, status)]
    return Examined(findings, discovery)


def made(checks: Sequence[Check], look: Look, status: Callable[[str], None]) -> list[Finding]:
    """What those of the checks found that make sense for this side; they end where the tenant cannot be asked."""
    findings: list[Finding] = []
    due = [check for check in checks if look.side in check.sides]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for result in threads.map(lambda check: made_one(check, look, status), due):
            if isinstance(result, XtsyncError):
                area = "sign-in" if isinstance(result, SignInError) else "Graph"
                found = f"{result.why}; the other checks of this tenant were left out"
                return [*findings, no_access(look, area, result, found)]
            findings += result
    return findings


def no_access(look: Look, area: str, error: XtsyncError, found: str) -> Finding:
    """What it means that a tenant cannot be asked: a sign-in that fails is known to be wrong, silence tells nothing."""
    silence = not isinstance(error, SignInError) or isinstance(error, SignInUnansweredError)
    return (look.not_reached if silence else look.problem)(area, found, error.do)


def made_one(check: Check, look: Look, status: Callable[[str], None]) -> list[Finding] | XtsyncError:
    """What a check found; the error where the tenant cannot be asked at all."""
    status(f"{look.tenant.name}: {check.area}")
    try:
        return check.look(look)
    except SignInError as error:
        return error
    except XtsyncError as error:
        if isinstance(error, NoAnswerError) and error.unsent:
            return error
        return [look.not_checked(check.area, error)]


def not_to_be_looked_at(failed: Mapping[str, ConfigurationError], *, unread: bool = False) -> list[Finding]:
    """What is in the way of looking at a tenant at all; nobody's fault where Pulumi cannot say anything (`unread`)."""
    level = Level.WARNING if unread else Level.PROBLEM
    return [
        Finding(side, "sign-in", level, f"{error.what}: {error.why}", error.do, failed=unread)
        for side, error in failed.items()
    ]


def looks_at(stack: Stack, memory: Remembered) -> tuple[list[Look], dict[str, ConfigurationError]]:
    """What each tenant is looked at with, and why one cannot be, by side.

    Args:
        stack: the pair.
        memory: what Pulumi remembers of it; a check that needs resources which are not there asks for them.

    Raises:
        ConfigurationError: neither tenant can be looked at.
    """
    known, state = memory.outputs, memory.resources
    names, written = meant(state, stack.settings.source.id), expressions_in(state)
    job_urn = urn_of_job(state, str(known.get("jobId") or ""))
    unread = memory.unread is not None

    def resources() -> Sequence[Recorded]:
        return state or (recorded_of(stack) if known and not unread else ())

    found: list[Look] = []
    failed: dict[str, ConfigurationError] = {}
    for side in SIDES:
        try:
            client = stack.client(side)
            look = Look(stack.settings, side, client, known, names, written, stack.called, job_urn, resources, unread)
            found.append(look)
        except ConfigurationError as error:
            failed[side] = error
    if not found:
        raise next(iter(failed.values()))
    return found, failed


def state_unread(error: ConfigurationError) -> Finding:
    """What it means that nobody knows what this stack has made."""
    found = (
        "what this stack has made cannot be told, and what is judged by that was not looked at. "
        f"{error.what}: {error.why}"
    )
    return Finding("pair", "state", Level.WARNING, found, f"{error.do}. Then run this again", failed=True)


def expressions_in(state: Sequence[Recorded]) -> Mapping[str, str]:
    """The expressions of the schema's mappings in the service's own writing, as the last run saved them."""
    schema = next((one.outputs for one in state if one.type == type_token("SyncSchema")), {})
    found: dict[str, str] = records.parse(schema.get("written") or "{}")
    return found


# --- words -----------------------------------------------------------------------------------------------------


def as_table(stack: Stack, findings: Sequence[Finding], *, everything: bool = False) -> Rows:
    """The findings for people: problems, warnings, advice, and what is well in one row, or all of it in full."""
    names: Mapping[str, str] = {side: getattr(stack.settings, side).name for side in SIDES} | {"pair": "both"}
    told = [one for one in findings if not one.missing]
    table = Rows()
    for level in (Level.PROBLEM, Level.WARNING):
        for do, several in by_remedy(one for one in told if one.level is level):
            remedy = [line((f"Do: {do}", "bold"))] if do else []
            table.add(line((level.value, COLOURS[level])), [*(of_place(one, names) for one in several), *remedy])
    well = [one for one in told if one.level is Level.OK]
    for one in well:
        if one.advice:
            table.add("advice", line(one.advice))
    if everything:
        for one in well:
            if not one.advice:
                table.add(line((Level.OK.value, COLOURS[Level.OK])), of_place(one, names))
    elif lines := folded(told, names):
        table.add(line((Level.OK.value, COLOURS[Level.OK])), [*map(line, lines), line("--all lists what was found")])
    for text in not_looked_at(findings, names):
        table.add("unseen", text)
    return table


def of_place(one: Finding, names: Mapping[str, str]) -> Line:
    """A finding with where it was found."""
    return line((f"{names[one.side]}, {one.area}: ", "bold"), one.found)


def by_remedy(findings: Iterable[Finding]) -> Iterable[tuple[str, list[Finding]]]:
    """The findings with what is to be done about them, each remedy once."""
    found: dict[str, list[Finding]] = {}
    for one in findings:
        found.setdefault(one.do, []).append(one)
    return found.items()


def folded(findings: Sequence[Finding], names: Mapping[str, str]) -> list[str]:
    """The checks in which nothing was found that needs somebody, a line a tenant."""
    lines = []
    for side, name in names.items():
        here = [one for one in findings if one.side == side and not one.advice]
        others = {one.area for one in here if one.level is not Level.OK}
        areas = [area for area in dict.fromkeys(one.area for one in here) if area not in others]
        if areas:
            lines.append(f"{name}: {', '.join(areas)}")
    return lines


def not_looked_at(findings: Sequence[Finding], names: Mapping[str, str]) -> list[str]:
    """One line for all that could not be checked without permissions that the pair itself does not need."""
    unseen = [one for one in findings if one.missing]
    if not unseen:
        return []
    what = ", ".join(f"{one.area} ({names[one.side]})" for one in unseen)
    return [
        f"{what}: that takes {' and '.join(sorted({one.missing for one in unseen}))}, which is not needed otherwise"
    ]


def summary(findings: Sequence[Finding]) -> str:
    """The verdict in one line."""
    levels = Counter(one.level for one in findings if not one.missing)
    if not levels[Level.PROBLEM] and not levels[Level.WARNING]:
        return "All is well. Nothing was changed."
    parts = [counted(levels[level], level.value) for level in (Level.PROBLEM, Level.WARNING) if levels[level]]
    return f"{' and '.join(parts)}. Nothing was changed."


# --- the command -----------------------------------------------------------------------------------------------


def findings_of(
    stack: Stack, memory: Remembered, status: Callable[[str], None], checks: Sequence[Check] = CHECKS
) -> list[Finding]:
    """What is found in both tenants, which are examined at the same time.

    Args:
        stack: the pair.
        memory: what Pulumi remembers of it.
        status: shows words about what is being waited for.
        checks: those to make.

    Raises:
        ConfigurationError: neither tenant can be looked at.
    """
    found, failed = looks_at(stack, memory)
    with ThreadPoolExecutor(len(found)) as threads:
        examined = list(threads.map(lambda look: examine(look, status, checks), found))
    discoveries = {look.side: one.discovery for look, one in zip(found, examined, strict=True)}
    unread = [state_unread(memory.unread)] if memory.unread else []
    unseen = not_to_be_looked_at(failed, unread=bool(unread))
    findings = [*unread, *unseen, *(finding for one in examined for finding in one.findings)]
    return [*findings, *sign_in.same_cloud(discoveries), *guardrails.check(stack.settings)]


def command(stack: Stack, screen: Screen, *, everything: bool = False) -> int:
    """Examine both tenants; for what it gives see `exit_code`.

    Args:
        stack: the pair.
        screen: where to.
        everything: whether people are told of what is well, too; machines always are.
    """
    memory = remembered(stack)
    findings = findings_of(stack, memory, screen.status)
    if screen.as_json:
        screen.json(findings)
    else:
        portal, settings = memory.outputs.get("portalUrl"), stack.settings
        screen.print(
            line(("Pair: ", "bold"), f"{settings.source.name} → {settings.target.name} (stack {stack.name})"),
            as_table(stack, findings, everything=everything),
            "",
            *([f"In the portal: {portal}"] if portal else []),
            summary(findings),
        )
    wrong = any(one.level is Level.PROBLEM for one in findings)
    return exit_code(wrong=wrong, unknown=any(one.failed for one in findings))
