"""Who is in scope: configured names -> object ids in the source tenant, looked up with azuread.

Every unknown name is reported at once, before anything is created.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azuread as azuread

from .azuread_errors import explain, reason
from .config import GUID, ConfigurationProblems, Problem, Settings, Tenant
from .graph.calls import AZUREAD_GROUPS, AZUREAD_USERS, Call
from .graph.errors import SignInError, lines_of
from .lifecycle import HOME
from .messages import Stopped
from .remembered_names import is_another, ways_out
from .stack_state import outputs_by_type_now
from .state import type_token

# Resources that remember whom the configuration named.
RECORDS = {type_token("SyncScope"), type_token("ProvisionOnDemand")}


@dataclass(frozen=True)
class Principal:
    """A user or group to assign; `name` is what the configuration calls it."""

    kind: str
    name: str
    object_id: str


@dataclass(frozen=True)
class Scope:
    """Who is assigned, and the object ids of who is provisioned at once, by configured name."""

    principals: tuple[Principal, ...]
    on_demand: Mapping[str, str]

    def by_name(self) -> dict[str, Principal]:
        """Who is assigned, by what the resource is called.

        That is the first part of the object id, which somebody who is renamed or written otherwise keeps: removing an
        assignment removes the person from the target. Where two share it, it is the whole.
        """
        short = [f"{one.kind}-{one.object_id.partition('-')[0]}" for one in self.principals]
        shared = {name for name, count in Counter(short).items() if count > 1}
        return {
            f"{one.kind}-{one.object_id}" if name in shared else name: one
            for name, one in zip(short, self.principals, strict=True)
        }


@dataclass(frozen=True)
class Missing:
    """An entry of the configuration that nobody in the source answers to; `key` says where it stands."""

    key: str
    kind: str
    name: str


def look_up(settings: Settings, provider: azuread.Provider) -> Scope:
    """Find everyone who is named: one GET each, made by azuread (User.Read.All, GroupMember.Read.All).

    Raises:
        ConfigurationProblems: some user or group does not exist, or two names mean the same object.
        Stopped: azuread cannot sign in.
    """
    options = pulumi.InvokeOptions(provider=provider)
    problems: list[Problem] = []
    missing: list[Missing] = []
    named = {name.lower(): name for name in (*settings.users, *settings.provision_on_demand)}
    users = find_users(named.values(), settings.source, options, problems)
    if not problems:
        missing += unknown_users("users", settings.users, users)
        missing += unknown_users("provisionOnDemand", settings.provision_on_demand, users)
    principals = [Principal("user", name, users[name.lower()]) for name in settings.users if name.lower() in users]
    for index, name in enumerate(settings.groups):
        where = f"xtsync:groups[{index}]"
        try:
            principals.append(Principal("group", name, find_group(name, options)))
        except Exception as error:  # the SDK raises no narrower one for a failed lookup
            if is_not_found(why := reason(error)):
                missing.append(Missing(where, "group", name))
            else:
                problems.append(group_problem(where, name, settings.source, why))
    known = recorded(settings.source.id) if missing or by_name(settings) else {}
    problems += [
        problem_of(one, known.get(f"{one.kind} {one.name}".lower()), settings.source.name, options) for one in missing
    ]
    problems += other_objects(found_by_name(settings, principals, users), known, settings.source, options)
    problems += duplicates(principals)
    if problems:
        raise ConfigurationProblems(problems)
    return Scope(tuple(principals), {name: users[name.lower()] for name in settings.provision_on_demand})


def unknown_users(key: str, names: Sequence[str], found: Mapping[str, str]) -> list[Missing]:
    """Names nobody in the source has."""
    return [
        Missing(f"xtsync:{key}[{index}]", "user", name) for index, name in enumerate(names) if name.lower() not in found
    ]


def find_users(
    names: Iterable[str], source: Tenant, options: pulumi.InvokeOptions, problems: list[Problem]
) -> dict[str, str]:
    """Object ids of the users that exist, by configured name in lower case."""
    ids = [name for name in names if GUID.fullmatch(name)]
    principal_names = [name for name in names if not GUID.fullmatch(name)]
    found: dict[str, str] = {}
    try:
        if principal_names:
            by_name = azuread.get_users(user_principal_names=principal_names, ignore_missing=True, opts=options)
            found.update({user.user_principal_name.lower(): user.object_id for user in by_name.users})
        if ids:
            by_id = azuread.get_users(object_ids=ids, ignore_missing=True, opts=options)
            found.update({user.object_id.lower(): user.object_id for user in by_id.users})
    except Exception as error:  # the SDK raises no narrower one for a failed lookup
        problems.append(failed_lookup("xtsync:users", None, AZUREAD_USERS, source, reason(error)))
    return found


def find_group(name: str, options: pulumi.InvokeOptions) -> str:
    """The object id of a group; azuread refuses a display name that several groups have."""
    if GUID.fullmatch(name):
        return azuread.get_group(object_id=name, opts=options).object_id
    return azuread.get_group(display_name=name, opts=options).object_id


def is_not_found(why: str) -> bool:
    """Whether azuread says that an object is not there."""
    return "No group found" in why or "not found" in why.lower()


def group_problem(where: str, name: str, source: Tenant, why: str) -> Problem:
    """What another failed lookup of a group means: it is not the only one, or nobody could look."""
    if "More than one group" in why:
        return Problem(where, name, f"{source.name} has several groups of this name", "Give the object id")
    return failed_lookup(where, name, AZUREAD_GROUPS, source, why)


def failed_lookup(where: str, name: str | None, call: Call, source: Tenant, why: str) -> Problem:
    """What is wrong where nobody could look.

    Raises:
        Stopped: azuread cannot sign in, which every other lookup would say again.
    """
    known = explain(why, call, source)
    if isinstance(known, SignInError):
        raise Stopped(*lines_of(known)) from None
    do = known.do if known is not None else "run again; where azuread cannot connect, check the network first"
    what = f"the lookup in {source.full_name} failed"
    return Problem(where, name, f"{what}: {known.why if known else why.rstrip('.')}", do[0].upper() + do[1:])


# --- who was renamed or deleted ----------------------------------------------------------------------------


def problem_of(one: Missing, object_id: str | None, tenant: str, options: pulumi.InvokeOptions) -> Problem:
    """What to say of one entry."""
    if object_id is None:
        why, do = f"{tenant} has no such {one.kind}", "Check the spelling, or give the object id"
        return Problem(one.key, one.name, why, do)
    try:
        name = name_now(one.kind, object_id, options)
    except Exception as error:  # the SDK raises no narrower one for a failed lookup
        why = f"{tenant} has no {one.kind} of this name any more (object id {object_id}): {reason(error)}"
        return Problem(one.key, one.name, why, "See whether it was renamed or deleted")
    if name is None:
        why = f"the {one.kind} was deleted in {tenant} (object id {object_id})"
        return Problem(one.key, one.name, why, "Take it out of the list")
    why = f"the {one.kind} is now called {name}"
    return Problem(one.key, one.name, why, "Write that name, or the object id, which stays: " + object_id)


def name_now(kind: str, object_id: str, options: pulumi.InvokeOptions) -> str | None:
    """What a user or group is called now; None where there is no such object."""
    if kind == "user":
        found = azuread.get_users(object_ids=[object_id], ignore_missing=True, opts=options).users
        return found[0].user_principal_name if found else None
    try:
        return azuread.get_group(object_id=object_id, opts=options).display_name
    except Exception as error:
        if is_not_found(str(error)):
            return None
        raise


def recorded(tenant: str) -> dict[str, str]:
    """Object ids by what the configuration called them, as the stack's `SyncScope` and the like remember them."""
    found: dict[str, str] = {}
    for type_, outputs in outputs_by_type_now():
        if outputs.get(HOME) == tenant and type_ in RECORDS:
            at_once = {f"user {name}": id_ for name, id_ in outputs.get("users", {}).items()}
            found |= {name.lower(): id_ for name, id_ in {**at_once, **outputs.get("principals", {})}.items()}
    return found


# --- whose name it is now ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """Whom a name of the configuration means now; `key` says where it stands."""

    key: str
    kind: str
    name: str
    object_id: str


def by_name(settings: Settings) -> bool:
    """Whether anybody is given by a name: what that means must be what it meant at the last run."""
    given = (*settings.users, *settings.groups, *settings.provision_on_demand)
    return not all(map(GUID.fullmatch, given))


def found_by_name(settings: Settings, principals: Sequence[Principal], users: Mapping[str, str]) -> list[Named]:
    """Everybody who is given by a name, and was found."""
    groups = {one.name: one.object_id for one in principals if one.kind == "group"}
    people = {
        name: users[name.lower()] for name in (*settings.users, *settings.provision_on_demand) if name.lower() in users
    }
    given = (
        ("users", "user", settings.users, people),
        ("groups", "group", settings.groups, groups),
        ("provisionOnDemand", "user", settings.provision_on_demand, people),
    )
    return [
        Named(f"xtsync:{key}[{index}]", kind, name, found[name])
        for key, kind, names, found in given
        for index, name in enumerate(names)
        if name in found and not GUID.fullmatch(name)
    ]


def other_objects(
    named: Iterable[Named], known: Mapping[str, str], source: Tenant, options: pulumi.InvokeOptions
) -> list[Problem]:
    """Names that another object has now: whoever may give one away must not decide who is in scope."""
    problems = []
    for one in named:
        was = known.get(f"{one.kind} {one.name}".lower(), one.object_id)
        if was != one.object_id:
            why = f"{is_another(one.kind)} in {source.name}: {one.object_id}, where it was {was}"
            problems.append(
                Problem(
                    one.key,
                    one.name,
                    f"{why}{what_it_is_now(one.kind, was, options)}",
                    ways_out(one.kind, one.key.partition(":")[2].partition("[")[0]),
                )
            )
    return problems


def what_it_is_now(kind: str, object_id: str, options: pulumi.InvokeOptions) -> str:
    """What became of the former object, if that can be seen."""
    try:
        name = name_now(kind, object_id, options)
    except Exception:  # the SDK raises no narrower one for a failed lookup; the ids are said anyway
        return ""
    return " (deleted since)" if name is None else f" (now called {name})"


# --- what else can be wrong --------------------------------------------------------------------------------


def duplicates(principals: Iterable[Principal]) -> list[Problem]:
    """Names that mean the same object: it can be assigned only once."""
    seen: dict[str, Principal] = {}
    problems = []
    for principal in principals:
        other = seen.setdefault(principal.object_id, principal)
        if other is not principal:
            why = f"the same {principal.kind} as {other.name}"
            problems.append(Problem(f"xtsync:{principal.kind}s", principal.name, why, "Remove one of the two"))
    return problems
