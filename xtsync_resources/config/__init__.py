"""Stack configuration -> frozen dataclasses.

Every problem is found at once, before any call is made; each names its key, its value and the remedy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi

from .. import namespace
from ..graph.isolation import SIDES, drop_foreign
from ..redaction import know
from .keys import decoded, keys_of, read_keys
from .kinds import GUID
from .other_namespaces import check_namespaces
from .problems import ConfigurationProblems, Problem, Problems, instead_of_secret
from .schema_keys import check_patterns, check_schema
from .settings import (
    SIGN_IN_KINDS,
    TRUST_KEYS,
    Settings,
    Tenant,
    is_user,
)
from .sign_in import check_host, check_proofs, check_sign_in, sentence

KEYS = tuple(keys_of(Settings))
TENANT_KEYS = tuple(keys_of(Tenant))
SECRET_KEYS = tuple(f"{side}ClientSecret" for side in SIDES)


def load() -> Settings:
    """Read the configuration of the running stack; what only the target's own process needs is then forgotten.

    Raises:
        ConfigurationProblems: anything at all is wrong with it.
    """
    config = pulumi.Config()
    namespace.use(config.name)
    prefix = namespace.full("")
    values = json.loads(os.environ.get("PULUMI_CONFIG", "{}"))
    encrypted: list[str] = json.loads(os.environ.get("PULUMI_CONFIG_SECRET_KEYS", "[]"))
    files = (Path(f"Pulumi.{pulumi.get_stack()}.yaml"), Path("Pulumi.yaml"))
    found, problems = check_namespaces(values, encrypted, config.name, KEYS, SECRET_KEYS, files)
    own = {key.removeprefix(prefix): text for key, text in values.items() if key.startswith(prefix)}
    # What has strayed is looked at as well, so that all that is wrong is told at once; before a default of the project.
    own = {one.name: values[one.key] for one in found} | own
    secrets = {side: config.get_secret(name) for side, name in zip(SIDES, SECRET_KEYS, strict=True)}
    in_plain = [name for name in SECRET_KEYS if name in own and f"{prefix}{name}" not in encrypted]
    source, target = map(own.get, SECRET_KEYS)
    copied = source is not None and source == target
    settings = parse(own, secrets, os.environ, in_plain=in_plain, copied=copied, found=problems)
    check_proofs(settings, os.environ)
    drop_foreign("source", os.environ)
    return replace(settings, source_stack_secret=lambda: know(source or ""))


def parse(
    values: Mapping[str, str],
    secrets: Mapping[str, Any],
    environment: Mapping[str, str],
    *,
    in_plain: Iterable[str] = (),
    copied: bool = False,
    before_sign_in: bool = False,
    found: Iterable[Problem] = (),
) -> Settings:
    """Turn raw values into settings.

    Args:
        values: the stack's values by key, without namespace, as Pulumi hands them over: objects, lists,
            numbers and booleans as JSON text.
        secrets: client secrets by side, where configured.
        environment: the environment, to see whether what signs in is there.
        in_plain: secrets that are not encrypted.
        copied: whether both client secrets are the same.
        before_sign_in: whether that, and the applications to sign in with, may still be missing.
        found: problems that are known already, to be told with the others.

    Raises:
        ConfigurationProblems: with every problem found.
    """
    problems = Problems(found=found)
    settings = read_keys(Settings, problems, decoded(Settings, values))
    source, target = (replace(one, name=one.name or one.id) for one in (settings.source, settings.target))
    settings = replace(
        settings,
        source=replace(source, side="source"),
        target=replace(target, side="target"),
        source_client_secret=secrets.get("source"),
        target_client_secret=secrets.get("target"),
        display_name=settings.display_name or f"{source.name} to {target.name}",
        deletion_threshold=int(settings.deletion_threshold),
        # As everybody compares it: azuread sends LOCALHOST to a proxy.
        metadata_host=settings.metadata_host.lower(),
    )
    for key in in_plain:
        problems.add(key, None, "the secret is not encrypted", instead_of_secret(key))
    if copied and source.client_id != target.client_id:
        why = "it is the same as sourceClientSecret, for another application: one would be sent for the other"
        problems.add("targetClientSecret", None, why, "Give each application its own; find out who copied it")
    check_pair(problems, settings)
    check_host(problems, settings, environment)
    for tenant in (settings.source, settings.target):
        check_sign_in(problems, settings, tenant, environment, complete=not before_sign_in)
    problems.stop()
    return settings


def check_pair(problems: Problems, settings: Settings) -> None:
    """Note what does not fit together."""
    if settings.source.id and settings.source.id == settings.target.id:
        why = "source and target are the same tenant"
        problems.add("target.tenantId", settings.target.id, why, "Name two tenants")
    if settings.source.auth == settings.target.auth == "managedIdentity":
        why = "a managed identity can sign in to its home tenant only, and this is the way of both tenants"
        problems.add("target.auth", "managedIdentity", why, "Set the other tenant's to oidc, certificate or secret")
    scope = settings.users or settings.groups or problems.concern("users") or problems.concern("groups")
    if not scope:
        problems.add("users", None, "nobody is in scope", "Name at least one user or group in users or groups")
    named = {*settings.users, *settings.groups}
    for index, name in enumerate(settings.never_remove):
        if name not in named:
            why = "it is neither in users nor in groups, so it would leave the scope"
            do = (
                "Put it back there, written the same; or, if it is to leave, take it out here and run `pulumi up` first"
            )
            problems.add(f"neverRemove[{index}]", name, why, do)
    check_patterns(problems, settings.scoping_filters or ())
    check_schema(problems, settings.attribute_mappings, settings.user_type, settings.flow_types)
    if settings.on_destroy == "drain" and not settings.deletes:
        why = "the job removes nobody without the flow type delete, and draining waits until it has"
        problems.add("onDestroy", "drain", why, "Name delete in flowTypes as well, or set onDestroy to release")
    if settings.display_name.casefold().startswith("mto_sync_"):
        why = "Microsoft 365 gives this name to the configurations it manages"
        problems.add("displayName", settings.display_name, why, "Choose another name")


__all__ = [
    "GUID",
    "KEYS",
    "SIDES",
    "SIGN_IN_KINDS",
    "TENANT_KEYS",
    "TRUST_KEYS",
    "ConfigurationProblems",
    "Problem",
    "Problems",
    "Settings",
    "Tenant",
    "check_namespaces",
    "is_user",
    "load",
    "parse",
    "sentence",
]
