"""Pulumi.yaml and Pulumi.<stack>.yaml -> the program's configuration."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.engine.state import Crypter
from lab.engine.values import Secret

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str, int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
}
DISABLED = "pulumi:disable-default-providers"


class ProjectError(Exception):
    """The project or stack file cannot be used as it is."""


@dataclass(frozen=True)
class Project:
    """A program folder and its stack's configuration, by fully qualified key; values are JSON or `Secret`."""

    name: str
    folder: Path
    stack: str
    config: Mapping[str, Any]
    python: str

    def texts(self) -> tuple[dict[str, str], list[str]]:
        """The configuration as the program gets it: texts by key, and which keys are secret."""
        texts, secret = {}, []
        for key, value in self.config.items():
            if isinstance(value, Secret):
                secret.append(key)
                value = value.value  # noqa: PLW2901
            texts[key] = value if isinstance(value, str) else json.dumps(value)
        return texts, secret

    def disabled_default_providers(self) -> list[str]:
        """Packages whose default provider is switched off; `*` is all."""
        value = self.config.get(DISABLED) or []
        return list(value) if isinstance(value, list) else list(json.loads(value))


def load(folder: Path, stack: str, config_file: Path | None, overrides: Mapping[str, Any], passphrase: str) -> Project:
    """Read both files.

    Raises:
        ProjectError: a file is missing or a value is not of its declared type.
    """
    path = folder / "Pulumi.yaml"
    if not path.exists():
        raise ProjectError(f"no Pulumi.yaml in {folder}")
    project = yaml.safe_load(path.read_text())
    name = project["name"]
    stack_path = config_file or folder / f"Pulumi.{stack}.yaml"
    if config_file is not None and not config_file.exists():
        raise ProjectError(f"no such file: {config_file}")
    document = (yaml.safe_load(stack_path.read_text()) if stack_path.exists() else None) or {}
    values = stack_values(document, passphrase)
    values.update(overrides)
    qualified = {key if ":" in key else f"{name}:{key}": value for key, value in values.items()}
    declared(project.get("config") or {}, name, stack, qualified)
    return Project(name, folder, stack, qualified, interpreter(folder, project.get("runtime")))


def stack_values(document: Mapping[str, Any], passphrase: str) -> dict[str, Any]:
    """The values of a stack file, with `secure:` ones decrypted."""
    salt = document.get("encryptionsalt", "")
    crypter: Crypter | None = None
    values = {}
    for key, value in (document.get("config") or {}).items():
        if isinstance(value, dict) and set(value) == {"secure"}:
            crypter = crypter or Crypter(passphrase, salt)
            values[key] = Secret(crypter.decrypt(value["secure"]))
        else:
            values[key] = value
    return values


def declared(declarations: Mapping[str, Any], project: str, stack: str, values: dict[str, Any]) -> None:
    """Apply declared defaults and types, as the real engine does.

    Raises:
        ProjectError: a declared key without default has no value, or a value is of another type.
    """
    for key, declaration in declarations.items():
        full = key if ":" in key else f"{project}:{key}"
        if not isinstance(declaration, dict):
            values.setdefault(full, declaration)
            continue
        if full not in values:
            if "default" not in declaration:
                raise ProjectError(f"Stack '{stack}' is missing configuration value '{key}'")
            values[full] = declaration["default"]
        value = values[full].value if isinstance(values[full], Secret) else values[full]
        kind = declaration["type"]
        if kind not in TYPES:
            raise ProjectError(f"the configuration type {kind!r} of {key!r} does not exist")
        if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            raise ProjectError(f"Stack '{stack}' with configuration key '{key}' must be of type '{kind}'")


def interpreter(folder: Path, runtime: Any) -> str:
    """The Python of the program: its virtual environment's, else ours."""
    options = runtime.get("options") or {} if isinstance(runtime, dict) else {}
    if options.get("virtualenv"):
        python = folder / options["virtualenv"] / "bin" / "python"
        if python.exists():
            return str(python)
    return sys.executable
