"""The state of a stack: resources in Pulumi's deployment format, in a file, secrets encrypted."""

from __future__ import annotations

import base64
import fcntl
import functools
import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from lab.engine.values import SECRET_SIGNATURE, SIGNATURE, Properties, Secret, mapped, plain

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


class StateError(Exception):
    """The state cannot be used."""


@dataclass
class Resource:
    """One resource of a stack, as the state has it. `delete` marks one whose place another has taken."""

    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    retain_on_delete: bool = False
    replace_with: list[str] = field(default_factory=list)
    replacement_trigger: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    init_errors: list[str] = field(default_factory=list)
    delete: bool = False

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.rsplit("::", 1)[1]

    @property
    def is_stack(self) -> bool:
        """Whether this is the stack's own resource."""
        return self.type == STACK_TYPE

    @property
    def is_provider(self) -> bool:
        """Whether this is an explicit provider."""
        return self.type.startswith(PROVIDER_PREFIX)

    @property
    def managed(self) -> bool:
        """Whether a provider manages it."""
        return self.custom and not self.is_provider

    @property
    def provider_urn(self) -> str:
        """The URN in the provider reference."""
        return self.provider.rpartition("::")[0]

    def needs(self) -> set[str]:
        """URNs of all this resource depends on."""
        of_properties = (urn for urns in self.property_dependencies.values() for urn in urns)
        found = {*self.dependencies, *of_properties, *self.replace_with, self.parent, self.provider_urn}
        return found - {""}


# Field -> its name in the file.
NAMES = {one.name: re.sub(r"_([a-z])", lambda part: part[1].upper(), one.name) for one in fields(Resource)}
ALWAYS = ("urn", "type", "custom")
# What the real engine writes as well, and nothing here depends on.
PASSED_OVER = {"created", "modified", "sourcePosition", "stackTrace", "additionalSecretOutputs"}


@functools.lru_cache(maxsize=32)
def key_of(passphrase: str, salt: str) -> bytes:
    """The key that a passphrase makes, which takes long by intention."""
    return hashlib.scrypt(passphrase.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=32)


def new_salt() -> str:
    """What makes the key of a new state another than that of any with the same passphrase."""
    return secrets.token_hex(8)


class Crypter:
    """Encrypts what is secret in a state, with a key made of a passphrase."""

    def __init__(self, passphrase: str, salt: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(key_of(passphrase, salt)))
        self._encrypted: dict[str, str] = {}

    def encrypt(self, text: str) -> str:
        """Encrypt a text, once: it is written again with every step."""
        if text not in self._encrypted:
            self._encrypted[text] = self._fernet.encrypt(text.encode()).decode()
        return self._encrypted[text]

    def decrypt(self, text: str) -> str:
        """Decrypt a text.

        Raises:
            StateError: the passphrase is not the one it was encrypted with.
        """
        try:
            return self._fernet.decrypt(text).decode()
        except InvalidToken:
            raise StateError("incorrect passphrase: set PULUMI_CONFIG_PASSPHRASE") from None


class Store:
    """The state file of one stack."""

    def __init__(self, folder: Path, project: str, stack: str, passphrase: str) -> None:
        self.path = folder / project / f"{stack}.json"
        self._passphrase, self._salt = passphrase, new_salt()
        self.resources: list[Resource] = []
        self.pending: list[dict[str, Any]] = []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the stack; the lock of a dead process is no lock.

        Raises:
            StateError: another command holds it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StateError("the stack is currently locked by another command") from None
            yield

    def load(self) -> None:
        """Read the file, if there is one."""
        if not self.path.exists():
            return
        deployment = json.loads(self.path.read_text())["deployment"]
        self._salt = deployment["secrets_providers"]["state"]["salt"]
        self.resources = [self._read(raw) for raw in deployment.get("resources") or []]
        self.pending = deployment.get("pending_operations") or []

    def save(self) -> None:
        """Write the file in one go."""
        self.write(self.export())

    def write(self, document: Mapping[str, Any]) -> None:
        """Write a whole state in one go."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(document) + "\n")
        new.replace(self.path)

    @cached_property
    def crypter(self) -> Crypter:
        """The encryption of this state, made when first needed."""
        return Crypter(self._passphrase, self._salt)

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The deployment, as `pulumi stack export` prints it."""
        return {
            "version": 3,
            "deployment": {
                "manifest": {"time": datetime.now(UTC).isoformat(), "magic": "", "version": "lab"},
                "secrets_providers": {"type": "passphrase", "state": {"salt": self._salt}},
                "resources": [self._write(r, show_secrets) for r in in_dependency_order(self.resources)],
                "pending_operations": self.pending,
            },
        }

    def _write(self, resource: Resource, show_secrets: bool) -> dict[str, Any]:
        def secret(value: Any) -> Any:
            text = json.dumps(plain(value))
            hidden = {"plaintext": text} if show_secrets else {"ciphertext": self.crypter.encrypt(text)}
            return {SIGNATURE: SECRET_SIGNATURE, **hidden}

        return {
            NAMES[key]: mapped(value, lambda leaf: leaf, secret)
            for key, value in vars(resource).items()
            if value or key in ALWAYS
        }

    def _read(self, raw: Mapping[str, Any]) -> Resource:
        strange = set(raw) - set(NAMES.values()) - PASSED_OVER
        if strange:
            raise StateError(f"the lab's engine does not support {', '.join(sorted(strange))} of {raw['urn']}")
        return Resource(**{key: self._open(raw[name]) for key, name in NAMES.items() if name in raw})

    def _open(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._open(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            text = value["plaintext"] if "plaintext" in value else self.crypter.decrypt(value["ciphertext"])
            return Secret(json.loads(text))
        return {key: self._open(item) for key, item in value.items()}


def dependencies(resources: Sequence[Resource]) -> list[set[int]]:
    """For each of these resources the places of those it depends on."""
    places: dict[str, set[int]] = {}
    for place, resource in enumerate(resources):
        places.setdefault(resource.urn, set()).add(place)
    return [
        set().union(*(places.get(urn, ()) for urn in resource.needs())) - {place}
        for place, resource in enumerate(resources)
    ]


def in_dependency_order(resources: Sequence[Resource]) -> list[Resource]:
    """Nothing before what it depends on.

    Raises:
        StateError: that is not possible.
    """
    try:
        return [
            resources[place] for place in TopologicalSorter(dict(enumerate(dependencies(resources)))).static_order()
        ]
    except CycleError:
        raise StateError("the state has a circle of dependencies") from None
