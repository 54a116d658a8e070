"""Stack configuration -> frozen dataclasses.

Every problem is found at once, before any call is made; each names its key, its value and the remedy.
The keys are a public interface: docs/configuration.md.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from .graph.clouds import CLOUDS, Cloud

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
EMAIL = re.compile(r"[^@\s\"\\]+@[^@\s\"\\]+\.[^@\s\"\\]+")
SIDES = ("source", "target")
SIGN_IN_KINDS = ("cli", "secret", "certificate", "oidc", "managedIdentity")
AVAILABLE_SIGN_IN_KINDS = ("cli", "secret")
TENANT_KEYS = ("tenantId", "name", "clientId", "auth")
TRUST_KEYS = {
    "mfa": "isMfaAccepted",
    "compliantDevice": "isCompliantDeviceAccepted",
    "hybridJoinedDevice": "isHybridAzureADJoinedDeviceAccepted",
}
KEYS = (
    *SIDES,
    "sourceClientSecret",
    "targetClientSecret",
    "cloud",
    "metadataHost",
    "users",
    "groups",
    "displayName",
    "syncGroups",
    "inboundTrust",
    "notifyEmail",
    "deletionThreshold",
    "running",
    "onExisting",
    "onDestroy",
    "provisionOnDemand",
    "deadlineMinutes",
)


def secret_variable(side: str) -> str:
    """The environment variable that carries the client secret of a side."""
    return f"XTSYNC_{side.upper()}_CLIENT_SECRET"


@dataclass(frozen=True)
class Tenant:
    """One side of the pair and how to sign in to it."""

    side: str
    id: str
    name: str
    client_id: str = ""
    auth: str = "cli"
    # A stack secret (an Output in the program), where a user prefers that; the environment wins.
    client_secret: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Settings:
    """The whole configuration of a pair. Field names are the keys' in snake case."""

    source: Tenant
    target: Tenant
    cloud: Cloud
    display_name: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    metadata_host: str = ""
    inbound_trust: Mapping[str, bool] = field(default_factory=dict)
    notify_email: str = ""
    deletion_threshold: int = 500
    running: bool = True
    on_existing: str = "adopt"
    on_destroy: str = "release"
    provision_on_demand: tuple[str, ...] = ()
    deadline_minutes: float = 15


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the configuration."""

    key: str
    value: object
    why: str
    do: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {json.dumps(self.value, ensure_ascii=False)[:100]}"
        return f"{self.key}{shown}: {self.why}. {self.do}."


class ConfigurationProblems(pulumi.RunError):
    """All problems of a configuration in one message."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"The configuration has {count}; nothing was changed.{lines}")


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
    reader = Reader(values)
    reader.unknown_keys(values, KEYS, "")
    source, target = (reader.tenant(side, secrets.get(side), environment) for side in SIDES)
    if source.id and source.id == target.id:
        reader.problem("target.tenantId", target.id, "source and target are the same tenant", "Name two tenants")
    users = reader.names("users", "a user principal name (name@domain) or object id", is_user)
    groups = reader.names("groups", "a display name or object id", lambda text: bool(text.strip()))
    if not users and not groups and not {"users", "groups"} & reader.failed:
        reader.problem("users", None, "nobody is in scope", "Name at least one user or group in users or groups")
    settings = Settings(
        source=source,
        target=target,
        cloud=CLOUDS[reader.choice("cloud", tuple(CLOUDS), "public")],
        display_name=reader.text("displayName") or f"{source.name} to {target.name}",
        users=users,
        groups=groups,
        metadata_host=reader.host("metadataHost"),
        inbound_trust=reader.trust("inboundTrust"),
        notify_email=reader.email("notifyEmail"),
        deletion_threshold=int(reader.number("deletionThreshold", 500, whole=True, least=0)),
        running=reader.boolean("running", True),
        on_existing=reader.choice("onExisting", ("adopt", "fail"), "adopt"),
        on_destroy=reader.choice("onDestroy", ("release", "drain"), "release"),
        provision_on_demand=reader.names("provisionOnDemand", "a user principal name or object id", is_user),
        deadline_minutes=reader.number("deadlineMinutes", 15, whole=False, least=0.01),
    )
    reader.not_available("syncGroups", reader.boolean("syncGroups", False))
    if reader.problems:
        raise ConfigurationProblems(reader.problems)
    return settings


def is_user(text: str) -> bool:
    """Whether a text can be a user principal name or an object id."""
    return bool(GUID.fullmatch(text) or re.fullmatch(r"[^@\s]+@[^@\s]+", text))


class Reader:
    """Reads values one by one and collects the problems instead of stopping at the first."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[Problem] = []
        self.failed: set[str] = set()

    def problem(self, key: str, value: object, why: str, do: str) -> None:
        """Note a problem with a key."""
        self.failed.add(key)
        self.problems.append(Problem(f"xtsync:{key}", value, why, do))

    def unknown_keys(self, found: Mapping[str, Any], known: Sequence[str], parent: str) -> None:
        """Note keys that do not exist, with the nearest that does."""
        for key in found:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1, 0.5)
                do = f"Did you mean {parent}{near[0]}" if near else f"The keys are {', '.join(known)}"
                self.problem(f"{parent}{key}", None, "unknown key", do)

    def json(self, key: str, kind: type, shown: str) -> Any:
        """A value of a JSON kind, or None where it is absent or of another kind (then noted)."""
        text = self._values.get(key)
        if text is None or text == "":
            return None
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if isinstance(value, kind) and not (kind is not bool and isinstance(value, bool)):
            return value
        self.problem(key, value, f"not {shown}", f"Give {shown}")
        return None

    def text(self, key: str) -> str:
        """One line of text; "" where absent."""
        return self.line(key, self._values.get(key, ""))

    def line(self, key: str, value: object) -> str:
        """Check that a value is one printable line."""
        if not isinstance(value, str) or not value.isprintable():
            self.problem(key, value, "not one line of text", "Give a text without line breaks")
            return ""
        return value.strip()

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of some words."""
        return self.one_of(key, self._values.get(key) or default, choices, default)

    def one_of(self, key: str, value: object, choices: Sequence[str], default: str) -> str:
        """Check that a value is one of some words."""
        if value in choices:
            return str(value)
        self.problem(key, value, "not a choice", f"Choose {', '.join(choices[:-1])} or {choices[-1]}")
        return default

    def boolean(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.json(key, bool, "true or false")
        return default if value is None else bool(value)

    def number(self, key: str, default: float, *, whole: bool, least: float) -> float:
        """A number of at least `least`."""
        value = self.json(key, (int if whole else (int, float)), "a whole number" if whole else "a number")  # type: ignore[arg-type]
        if value is None:
            return default
        if not least <= value <= 1_000_000:
            self.problem(key, value, "out of range", f"Give a number from {least} to 1000000")
        return float(value)

    def host(self, key: str) -> str:
        """HOST or HOST:PORT."""
        value = self.text(key)
        if value and not HOST.fullmatch(value):
            self.problem(key, value, "not a host name", "Give HOST or HOST:PORT, without https:// and path")
        return value

    def email(self, key: str) -> str:
        """An e-mail address."""
        value = self.text(key)
        if value and not EMAIL.fullmatch(value):
            self.problem(key, value, "not an e-mail address", "Give one address, as name@domain")
        return value

    def names(self, key: str, shown: str, valid: Callable[[str], bool]) -> tuple[str, ...]:
        """A list of names, each once."""
        found: dict[str, str] = {}
        for index, item in enumerate(self.json(key, list, "a list") or ()):
            where = f"{key}[{index}]"
            text = item.strip() if isinstance(item, str) and item.isprintable() else ""
            if not text or not valid(text):
                self.problem(where, item, f"not {shown}", f"Give {shown}")
                self.failed.add(key)
            elif text.lower() in found:
                self.problem(where, item, "listed twice", "Remove one of the two")
            else:
                found[text.lower()] = text
        return tuple(found.values())

    def trust(self, key: str) -> Mapping[str, bool]:
        """Inbound trust claims, by Graph's property names; only those that were named."""
        value = self.json(key, dict, "an object such as {mfa: true}") or {}
        self.unknown_keys(value, tuple(TRUST_KEYS), f"{key}.")
        for name, flag in value.items():
            if name in TRUST_KEYS and not isinstance(flag, bool):
                self.problem(f"{key}.{name}", flag, "not true or false", "Give true or false")
        return {TRUST_KEYS[n]: flag for n, flag in value.items() if n in TRUST_KEYS and isinstance(flag, bool)}

    def tenant(self, side: str, secret: Any, environment: Mapping[str, str]) -> Tenant:
        """One side of the pair."""
        value = self.json(side, dict, "an object with tenantId") or {}
        self.unknown_keys(value, TENANT_KEYS, f"{side}.")
        tenant_id = self.guid(f"{side}.tenantId", value.get("tenantId"), required=side not in self.failed)
        auth = self.one_of(f"{side}.auth", value.get("auth", "cli"), SIGN_IN_KINDS, "cli")
        if auth not in AVAILABLE_SIGN_IN_KINDS:
            do = f"Use {' or '.join(AVAILABLE_SIGN_IN_KINDS)}"
            self.problem(f"{side}.auth", auth, "this way to sign in is not available yet", do)
        client = self.guid(f"{side}.clientId", value.get("clientId"), required=auth == "secret")
        if auth == "cli" and client:
            do = "Remove it, or set auth: secret"
            self.problem(f"{side}.clientId", client, "auth: cli signs in as the person of `az login`", do)
        variable = secret_variable(side)
        if auth == "secret" and secret is None and not environment.get(variable):
            do = f"Export {variable}, or run `pulumi config set --secret {side}ClientSecret`"
            self.problem(f"{side}ClientSecret", None, "auth: secret needs a client secret", do)
        name = self.line(f"{side}.name", value.get("name", "")) or tenant_id
        return Tenant(side, tenant_id, name, client, auth, secret)

    def guid(self, key: str, value: object, *, required: bool) -> str:
        """A GUID in lower case; "" where absent or wrong (then noted)."""
        if value in (None, ""):
            if required:
                example = "00000000-0000-0000-0000-000000000000"
                self.problem(key, None, "missing", f"Give the id from the Entra admin center, as in {example}")
            return ""
        if isinstance(value, str) and GUID.fullmatch(value.strip()):
            return value.strip().lower()
        self.problem(key, value, "not a GUID", "Give the id from the Entra admin center, not a name or domain")
        return ""

    def not_available(self, key: str, wanted: object) -> None:
        """Refuse a key that has a meaning but no implementation yet, rather than ignore it."""
        if wanted:
            self.problem(key, None, "not available yet", "Remove it")
