"""The state of a stack: resources in Pulumi's deployment format, in a file, secrets encrypted."""

from __future__ import annotations

import base64
import fcntl
import functools
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from lab.engine.values import SECRET_SIGNATURE, SIGNATURE, Properties, Secret, mapped, plain

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"
ROUNDS = 1_000_000


class StateError(Exception):
    """The state cannot be used."""


@dataclass
class Resource:
    """One resource of a stack, as the state has it."""

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
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    additional_secret_outputs: list[str] = field(default_factory=list)
    ignore_changes: list[str] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    init_errors: list[str] = field(default_factory=list)
    delete: bool = False

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.rsplit("::", 1)[1]

    @property
    def is_provider(self) -> bool:
        """Whether this is an explicit provider."""
        return self.type.startswith(PROVIDER_PREFIX)

    @property
    def provider_urn(self) -> str:
        """The URN in the provider reference."""
        return self.provider.rsplit("::", 1)[0] if self.provider else ""

    def needs(self) -> set[str]:
        """URNs of all this resource depends on."""
        found = {*self.dependencies, self.parent, self.provider_urn, self.deleted_with}
        for urns in self.property_dependencies.values():
            found.update(urns)
        return found - {""}


WIRE_NAMES = {
    "property_dependencies": "propertyDependencies",
    "retain_on_delete": "retainOnDelete",
    "deleted_with": "deletedWith",
    "additional_secret_outputs": "additionalSecretOutputs",
    "ignore_changes": "ignoreChanges",
    "custom_timeouts": "customTimeouts",
    "init_errors": "initErrors",
}
ALWAYS = ("urn", "type", "custom")


@functools.lru_cache(maxsize=64)
def derived_key(passphrase: str, salt: bytes) -> bytes:
    """The key of Pulumi's passphrase secrets provider; slow on purpose, so kept."""
    return PBKDF2HMAC(SHA256(), 32, salt, ROUNDS).derive(passphrase.encode())


class Crypter:
    """Encrypts as Pulumi's passphrase secrets provider does: `v1:nonce:ciphertext`."""

    def __init__(self, passphrase: str, salt_text: str = "") -> None:
        """Use a salt text `v1:SALT:v1:NONCE:CHECK`, or make a new one.

        Raises:
            StateError: the passphrase is not the one of that salt.
        """
        self._passphrase = passphrase
        if salt_text:
            self._salt = base64.b64decode(salt_text.split(":")[1])
            self.salt_text = salt_text
            if self.decrypt(salt_text.split(":", 2)[2]) != "pulumi":
                raise StateError("incorrect passphrase")
        else:
            self._salt = secrets.token_bytes(8)
            self.salt_text = f"v1:{_text(self._salt)}:{self.encrypt('pulumi')}"

    def encrypt(self, text: str) -> str:
        """Encrypt a text."""
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(derived_key(self._passphrase, self._salt)).encrypt(nonce, text.encode(), None)
        return f"v1:{_text(nonce)}:{_text(sealed)}"

    def decrypt(self, text: str) -> str:
        """Decrypt a text.

        Raises:
            StateError: the passphrase is wrong.
        """
        _, nonce, sealed = text.split(":")
        key = derived_key(self._passphrase, self._salt)
        try:
            return AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None).decode()
        except InvalidTag:
            raise StateError("incorrect passphrase: set PULUMI_CONFIG_PASSPHRASE") from None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Store:
    """The state file of one stack."""

    def __init__(self, folder: Path, project: str, stack: str, passphrase: str) -> None:
        self.path = folder / project / f"{stack}.json"
        self._passphrase = passphrase
        self._crypter: Crypter | None = None
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
        salt = (deployment.get("secrets_providers") or {}).get("state", {}).get("salt", "")
        self._crypter = Crypter(self._passphrase, salt)
        self.resources = [self._read(raw) for raw in deployment.get("resources") or []]
        self.pending = deployment.get("pending_operations") or []

    def save(self) -> None:
        """Write the state as it is now."""
        self.write(self.export())

    def write(self, document: Mapping[str, Any]) -> None:
        """Write the file in one go."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(document, indent=1) + "\n")
        new.replace(self.path)

    @property
    def crypter(self) -> Crypter:
        """The encryption of this state, made when first needed."""
        if self._crypter is None:
            self._crypter = Crypter(self._passphrase)
        return self._crypter

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The deployment, as `pulumi stack export` prints it."""
        return {
            "version": 3,
            "deployment": {
                "manifest": {"time": datetime.now(UTC).isoformat(), "magic": "", "version": "lab"},
                "secrets_providers": {"type": "passphrase", "state": {"salt": self.crypter.salt_text}},
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
            WIRE_NAMES.get(key, key): mapped(value, lambda leaf: leaf, secret)
            for key, value in vars(resource).items()
            if value or key in ALWAYS
        }

    def _read(self, raw: Mapping[str, Any]) -> Resource:
        names = {wire: name for name, wire in WIRE_NAMES.items()}
        known = {names.get(key, key): value for key, value in raw.items()}
        for key in ("inputs", "outputs"):
            known[key] = self._open(known.get(key, {}))
        strange = (
            set(known) - set(Resource.__dataclass_fields__) - {"created", "modified", "sourcePosition", "stackTrace"}
        )
        if strange:
            raise StateError(f"the lab's engine does not support {', '.join(sorted(strange))} of {raw['urn']}")
        return Resource(**{key: value for key, value in known.items() if key in Resource.__dataclass_fields__})

    def _open(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._open(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            text = value["plaintext"] if "plaintext" in value else self.crypter.decrypt(value["ciphertext"])
            return Secret(json.loads(text))
        return {key: self._open(item) for key, item in value.items()}


def is_ordered(resources: list[Resource]) -> bool:
    """Whether nothing stands before what it depends on."""
    known, seen = {resource.urn for resource in resources}, set[str]()
    for resource in resources:
        if not (resource.needs() & known) <= seen | {resource.urn}:
            return False
        seen.add(resource.urn)
    return True


def in_dependency_order(resources: list[Resource]) -> list[Resource]:
    """Nothing before what it depends on; otherwise as given."""
    if is_ordered(resources):
        return resources
    placed: list[Resource] = []
    waiting = list(resources)
    known = {resource.urn for resource in resources}
    done: set[str] = set()
    while waiting:
        ready = [r for r in waiting if not (r.needs() & known) - done - {r.urn}]
        if not ready:
            raise StateError("the state has a circle of dependencies")
        placed += ready
        waiting = [r for r in waiting if r not in ready]
        done |= {r.urn for r in ready} - {r.urn for r in waiting}
    return placed
