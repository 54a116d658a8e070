"""Stack configuration -> frozen dataclasses.

Every problem is found at once, before any call is made; each names its key, its value and the remedy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi

from .keys import decoded, keys_of, read_keys
from .kinds import GUID
from .problems import ConfigurationProblems, Problem, Problems
from .schema_keys import check_schema
from .settings import (
    AVAILABLE_SIGN_IN_KINDS,
    SIDES,
    SIGN_IN_KINDS,
    TRUST_KEYS,
    Settings,
    Tenant,
    is_user,
    secret_variable,
)

KEYS = tuple(keys_of(Settings))
TENANT_KEYS = tuple(keys_of(Tenant))


def load() -> Settings:
    """Read the configuration of the running stack.

    Raises:
        ConfigurationProblems: anything at all is wrong with it.
    """
    config = pulumi.Config()
    prefix = f"{config.name}:"
    values = json.loads(os.environ.get("PULUMI_CONFIG", "{}"))
    own = {key.removeprefix(prefix): text for key, text in values.items() if key.startswith(prefix)}
    secrets = {side: config.get_secret(f"{side}ClientSecret") for side in SIDES}
    return parse(own, secrets, os.environ)


def parse(
    values: Mapping[str, str],
    secrets: Mapping[str, Any],
    environment: Mapping[str, str],
) -> Settings:
    """Turn raw values into settings.

    Args:
        values: the stack's values by key, without namespace, as Pulumi hands them over: objects, lists,
            numbers and booleans as JSON text.
        secrets: client secrets by side, where configured.
        environment: the environment, to see whether a client secret is there.

    Raises:
        ConfigurationProblems: with every problem found.
    """
    problems = Problems()
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
    )
    check_pair(problems, settings)
    for tenant in (settings.source, settings.target):
        check_sign_in(problems, settings, tenant, environment)
    problems.stop()
    return settings


def check_pair(problems: Problems, settings: Settings) -> None:
    """Note what does not fit together."""
    if settings.source.id and settings.source.id == settings.target.id:
        why = "source and target are the same tenant"
        problems.add("target.tenantId", settings.target.id, why, "Name two tenants")
    scope = settings.users or settings.groups or problems.concern("users") or problems.concern("groups")
    if not scope:
        problems.add("users", None, "nobody is in scope", "Name at least one user or group in users or groups")
    check_schema(problems, settings.attribute_mappings, settings.user_type, settings.flow_types)


def check_sign_in(problems: Problems, settings: Settings, tenant: Tenant, environment: Mapping[str, str]) -> None:
    """Note what the way to sign in lacks or has too much."""
    side = tenant.side
    if problems.concern(side) and not tenant.id and not problems.concern(f"{side}.tenantId"):
        return  # it is no object at all
    if tenant.auth not in AVAILABLE_SIGN_IN_KINDS:
        do = f"Use {' or '.join(AVAILABLE_SIGN_IN_KINDS)}"
        problems.add(f"{side}.auth", tenant.auth, "this way to sign in is not available yet", do)
    if tenant.auth == "secret" and not tenant.client_id and not problems.concern(f"{side}.clientId"):
        problems.add(f"{side}.clientId", None, "missing", "Give the id of the application to sign in with")
    if tenant.auth == "cli" and tenant.client_id:
        do = "Remove it, or set auth: secret"
        problems.add(f"{side}.clientId", tenant.client_id, "auth: cli signs in as the person of `az login`", do)
    variable = secret_variable(side)
    if tenant.auth == "secret" and settings.client_secret(side) is None and not environment.get(variable):
        do = f"Export {variable}, or run `pulumi config set --secret {side}ClientSecret`"
        problems.add(f"{side}ClientSecret", None, "auth: secret needs a client secret", do)


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
    "is_user",
    "load",
    "parse",
    "secret_variable",
]
