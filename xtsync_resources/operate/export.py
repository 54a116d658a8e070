"""`xtsync export`: read a pair that runs, and write the stack configuration that reproduces it.

What it reads is the pair as it is, whoever made it: by hand, by another tool, by this program.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from .. import namespace
from ..application.calls import find_application
from ..application.configurations import PairConfiguration, Unreadable, configurations_into
from ..application.multitenant_organization import is_managed
from ..application.orphans import APPLICATION_TEMPLATE, APPLICATION_TYPE
from ..assignments.calls import list_assignments
from ..config import TRUST_KEYS, Tenant
from ..config.keys import keys_of
from ..config.kinds import ADDRESSES
from ..directory.calls import get_user
from ..graph.errors import (
    ForbiddenError,
    RefusedError,
)
from ..identity_sync_policy.calls import get_identity_sync
from ..partner_policy.calls import get_partner
from ..partner_policy.model import TRUST, leaf
from ..service_principal.calls import get_service_principal
from ..service_principal.model import assignable_role
from ..sync_job.model import ACTIVE, schedule_state
from ..sync_secrets.model import DEFAULT_THRESHOLD, addresses, deletion_threshold, sync_all
from ..untrusted import escape_commands, json_text, one_line, value
from .export_settings import read_b2b, read_schema
from .files import write_private

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import Settings
    from ..graph.operation import Operation
    from .screen import Screen

# Looking for it may take this part of the time, so that what follows has some, whoever does not answer.
CONFIGURATIONS_PART = 1 / 4


@dataclass(frozen=True)
class Assigned:
    """A user or group in scope.

    Attributes:
        kind: `user` or `group`.
        object_id: its object id.
        name: for people: display name, or the user's principal name.
        assignment_id: of the assignment.
        principal_name: the user's; "" for groups, and where it could not be read.
    """

    kind: str
    object_id: str
    name: str
    assignment_id: str
    principal_name: str = ""

    @property
    def configured(self) -> str:
        """What the configuration calls it: never a display name, which is no key of anybody."""
        return self.principal_name or self.object_id


@dataclass(frozen=True)
class Found:
    """A pair as it is.

    Attributes:
        application: of the configuration: object id, display name.
        service_principal: its object id.
        job: the job.
        settings: the synchronization settings by key.
        people: who is assigned.
        trust: the inbound trust flags that are set, by configuration key.
        sync_name: the identity sync policy's display name; "" where there is none.
        more: of the schema and the B2B settings, by configuration key.
        warnings: what the configuration cannot say.
    """

    application: str
    display_name: str
    service_principal: str
    job: Mapping[str, Any]
    settings: Mapping[str, str]
    people: Sequence[Assigned]
    trust: Mapping[str, bool]
    sync_name: str
    more: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Exported:
    """A pair as a stack's configuration, for machines.

    Attributes:
        config: what goes under `config` of the stack file.
        warnings: what the configuration cannot say.
    """

    config: Mapping[str, Any]
    warnings: Sequence[str]


# --- from Graph ------------------------------------------------------------------------------------------------


def look(source: Operation, target: Operation, wanted: str) -> Found:
    """Read a pair in both tenants.

    Calls, in the source: GET servicePrincipals, and for each of the template GET jobs and secrets; GET applications,
    appRoleAssignedTo, users/{id}, the schema and the template's for the one that is chosen (Application.Read.All,
    Synchronization.Read.All, User.Read.All). In both: GET partners/{id}; in the target GET identitySynchronization
    (Policy.Read.All).

    Args:
        source: in the source.
        target: in the target.
        wanted: display name or id of the configuration application, where there are several; else "".

    Raises:
        RefusedError: there is no such pair, or there are several.
        XtsyncError: a call failed.
    """
    source.status("looking at the configurations")
    part = source.client.operation(source.remaining * CONFIGURATIONS_PART, source.status)
    found, unreadable = configurations_into(part, target.tenant.id)
    chosen = choose(found, unreadable, source, target, wanted)
    principal, job, settings = chosen.principal, chosen.job, chosen.settings
    principal_id = str(principal["id"])
    role = assignable_role(source.send(get_service_principal(principal_id)))
    people, warnings = assigned(source, principal_id, role)
    warnings += [
        f"{one} could not be read and may synchronize into this target as well: {one.why}" for one in unreadable
    ]
    partner = target.read(get_partner(source.tenant.id)) or {}
    sync = target.read(get_identity_sync(source.tenant.id))
    trust = {key: leaf(partner, TRUST, name) for key, name in TRUST_KEYS.items()}
    sync_name = str((sync or {}).get("displayName") or "")
    if sync_name and sync_name != principal["displayName"]:
        warnings.append(
            f"the identity sync policy is called {sync_name!r}; `pulumi up` gives it the application's name"
        )
    if sync_all(settings):
        warnings.append(
            "everybody in the source is in scope (SyncAll); `pulumi up` narrows that to who is assigned, and "
            "`xtsync restart` then deletes everybody else in the target"
        )
    warnings += settings_warnings(settings)
    more = read_schema(source, target, principal_id, str(job["id"])) | read_b2b(source, target, partner)
    warnings += more.warnings
    if not people:
        warnings.append("nobody is assigned; name at least one user or group")
    application = next(iter(source.pages(find_application(str(principal["appId"])))), {})
    return Found(
        str(application.get("id") or ""),
        str(principal["displayName"]),
        principal_id,
        job,
        settings,
        people,
        {key: value for key, value in trust.items() if value is not None},
        sync_name,
        more.config,
        warnings,
    )


def settings_warnings(settings: Mapping[str, str]) -> list[str]:
    """What the configuration cannot say of the settings."""
    warnings = []
    told = addresses(settings)
    if told and not ADDRESSES.fullmatch(told):
        warnings.append(f"notifications go to {told!r}, which are no e-mail addresses; that is left out, as it is")
    if deletion_threshold(settings) == 0:
        warnings.append(
            f"every deletion is held back (a threshold of 0); `pulumi up` holds them back beyond {DEFAULT_THRESHOLD}"
        )
    return warnings


def choose(
    found: Sequence[PairConfiguration],
    unreadable: Sequence[Unreadable],
    source: Operation,
    target: Operation,
    wanted: str,
) -> PairConfiguration:
    """The one that is meant.

    Raises:
        RefusedError: none, or several, or one that Microsoft 365 manages.
    """
    what = f"Cannot export the pair from {source.tenant} to {target.tenant}"
    if wanted:
        found = [one for one in found if wanted in map(one.principal.get, ("displayName", "id", "appId"))]
    # Of several, those of Microsoft 365 are not meant.
    found = [one for one in found if not is_managed(str(one.principal["displayName"]))] or found
    names = ", ".join(f"{one.principal['displayName']} ({one.principal['id']})" for one in found)
    if not found and unreadable:
        why = "no configuration application that could be read is the one; not read: "
        raise RefusedError(what, why + "; ".join(f"{one}: {one.why}" for one in unreadable), unreadable[0].do)
    if not found:
        do = "check the tenant ids, and --application if given; a pair across clouds cannot be exported"
        raise RefusedError(what, "no configuration application there synchronizes into this target", do)
    if len(found) > 1:
        raise RefusedError(what, f"there are several: {names}", "choose one with --application NAME or ID")
    if is_managed(str(found[0].principal["displayName"])):
        why = f"{names} belongs to a multitenant organization, which Microsoft 365 manages"
        raise RefusedError(what, why, "leave it to the Microsoft 365 admin center")
    return found[0]


def assigned(source: Operation, principal: str, role: str) -> tuple[list[Assigned], list[str]]:
    """Who is in scope, and warnings about assignments that are not."""
    people: list[Assigned] = []
    warnings: list[str] = []
    for one in source.pages(list_assignments(principal)):
        name, kind = str(one.get("principalDisplayName") or ""), str(one.get("principalType") or "")
        if kind not in ("User", "Group") or (role and one.get("appRoleId") != role):
            warnings.append(f"the assignment of {name} ({kind}) has another role and is left out")
            continue
        object_id, principal_name = str(one["principalId"]), ""
        if kind == "User":
            source.status(f"looking up {name}")
            principal_name = read_principal_name(source, object_id)
            if not principal_name:
                warnings.append(f"the user principal name of {name} could not be read; the object id stands for it")
        people.append(Assigned(kind.lower(), object_id, principal_name or name, str(one["id"]), principal_name))
    return sorted(people, key=lambda person: (person.kind, person.name.lower())), warnings


def read_principal_name(source: Operation, object_id: str) -> str:
    """A user's principal name; "" where it may not be read or is not there. Call: GET users/{id}."""
    try:
        return str((source.read(get_user(object_id)) or {}).get("userPrincipalName") or "")
    except ForbiddenError:
        return ""


# --- to a stack file -------------------------------------------------------------------------------------------

# Keys of a stack file that say what is to be done, which no object of Graph holds, or which it does not tell.
ONLY_IN_STACK_FILES = (
    "neverRemove",
    "onDestroy",
    "guardrails",
    "foreignAssignments",
    "provisionOnDemand",
    "onExisting",
    "syncGroups",
    "deadlineMinutes",
    "allowSecondConfiguration",
    "allowDeletions",
)
NOT_IN_GRAPH = f"What a stack file says besides, no tenant knows, so it is not here: {', '.join(ONLY_IN_STACK_FILES)}"


def as_config(settings: Settings, found: Found) -> dict[str, Any]:
    """The configuration, without what is as by default."""
    told, threshold = addresses(found.settings), deletion_threshold(found.settings)
    config: dict[str, Any] = {
        "source": tenant(settings.source),
        "target": tenant(settings.target),
        "cloud": settings.cloud.name if settings.cloud.name != "public" else None,
        "metadataHost": settings.metadata_host,
        "displayName": found.display_name,
        "users": [person.configured for person in of_kind(found, "user")],
        "groups": [person.configured for person in of_kind(found, "group")],
        "inboundTrust": dict(found.trust),
        **found.more,
        "notifyEmail": told if ADDRESSES.fullmatch(told) else None,
        "deletionThreshold": None if threshold in (DEFAULT_THRESHOLD, 0) else threshold or 0,
        "running": None if schedule_state(found.job) == ACTIVE else False,
    }
    kept = {namespace.full(key): value for key, value in config.items() if value not in (None, "", [], {})}
    return {**kept, "pulumi:disable-default-providers": ["pulumi-python", "azuread"]}


def of_kind(found: Found, kind: str) -> list[Assigned]:
    """The users or the groups in scope."""
    return [person for person in found.people if person.kind == kind]


def tenant(side: Tenant) -> dict[str, str]:
    """A side of the pair, with how to sign in to it."""
    given = {name: str(getattr(side, one.field)) for name, one in keys_of(Tenant).items()}
    return {name: value for name, value in given.items() if value and (name != "name" or value != side.id)}


def as_yaml(settings: Settings, found: Found) -> str:
    """The stack file's text; whoever is named by object id has the name beside."""
    text = yaml_text({"config": as_config(settings, found)})
    for person in found.people:
        if person.configured == person.object_id:
            text = text.replace(f"- {person.object_id}\n", f"- {person.object_id}  # {one_line(person.name)}\n")
    warnings = "".join(f"# Note: {one_line(warning)}.\n" for warning in found.warnings)
    return f"# As it runs today, read by `xtsync export`.\n# {NOT_IN_GRAPH}.\n{warnings}{text}"


def yaml_text(document: Mapping[str, Any]) -> str:
    """A document as YAML that says the same to whoever reads it, and commands nobody who only shows it."""
    plain = value(document) == document
    style = None if plain else '"'  # the only one that can hold any character by an escape
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=plain, width=math.inf, default_style=style)
    return text if plain else escape_commands(text, "\\x{:02x}")


def as_import(found: Found, project: str, stack: str) -> dict[str, Any]:
    """What `pulumi import --file` needs to bring the application under management.

    Not the assignments: the first `up` takes them over with the job at rest.
    """
    pair = f"urn:pulumi:{stack}::{project}::xtsync:index:TenantPair::pair"
    provider = f"urn:pulumi:{stack}::{project}::xtsync:index:TenantPair$pulumi:providers:azuread::pair-source-azuread"
    shared = {"parent": "pair", "provider": "pair-source-azuread"}
    application = {
        "type": APPLICATION_TYPE,
        "name": "pair-application",
        "id": f"/applicationTemplates/{APPLICATION_TEMPLATE}/instantiate/{found.application}/{found.service_principal}",
    }
    return {
        "nameTable": {"pair": pair, "pair-source-azuread": provider},
        "resources": [{**application, **shared}],
    }


# --- the command -----------------------------------------------------------------------------------------------


def command(
    settings: Settings,
    connect: Callable[[str], Operation],
    screen: Screen,
    *,
    application: str,
    output: Path | None,
    import_file: Path | None,
    stack: str,
) -> int:
    """Read the pair and write the files, or the stack file to standard output."""
    found = look(connect("source"), connect("target"), application)
    text = as_yaml(settings, found)
    if screen.as_json:
        screen.json(Exported(as_config(settings, found), found.warnings))
    elif output is None:
        screen.plain(text)
    if output is not None:
        # A stack file that is there holds the salt its secrets are encrypted with.
        write_private(output, text, replace=False)
        screen.tell(f"Wrote {output}: {len(found.people)} assignments.")
    if import_file is not None:
        write_private(import_file, json_text(as_import(found, namespace.current(), stack)) + "\n", replace=False)
        screen.tell(f"Wrote {import_file}, for `pulumi import --file {shlex.quote(str(import_file))}`.")
    screen.tell(*(f"warning: {warning}" for warning in found.warnings), style="yellow")
    return 0
