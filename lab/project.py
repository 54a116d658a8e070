"""Pulumi.yaml and Pulumi.<stack>.yaml -> the program's configuration."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

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


def load(folder: Path, stack: str, config_file: Path | None, overrides: Mapping[str, Any]) -> Project:
    """Read both files.

    Raises:
        ProjectError: a file is missing or no YAML, or a value is not of its declared type.
    """
    project = read(folder / "Pulumi.yaml")
    if not isinstance(project.get("name"), str):
        raise ProjectError(f"{folder / 'Pulumi.yaml'} gives the project no name")
    name = project["name"]
    stack_path = config_file or folder / f"Pulumi.{stack}.yaml"
    values = read(stack_path).get("config") or {} if config_file or stack_path.exists() else {}
    encrypted = [key for key, value in values.items() if isinstance(value, dict) and set(value) == {"secure"}]
    if encrypted:
        raise ProjectError(f"the lab's engine does not support `secure` values: {', '.join(encrypted)} in {stack_path}")
    qualified = {key if ":" in key else f"{name}:{key}": value for key, value in {**values, **overrides}.items()}
    declared(project.get("config") or {}, name, stack, qualified)
    return Project(name, folder, stack, qualified, interpreter(folder, project.get("runtime")))


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        ProjectError: there is none, with the place of what is wrong and the cause.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ProjectError(f"{path} is not valid YAML{where}: {error.problem or error.context}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProjectError(f"{path} cannot be read: {error}") from None
    if not isinstance(document or {}, dict):
        raise ProjectError(f"{path} must hold a mapping, with one `key: value` a line")
    return document or {}


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
        kind = declaration.get("type")
        if kind is None:
            continue
        if not isinstance(value, TYPES.get(kind, ())) or (isinstance(value, bool) and kind != "boolean"):
            raise ProjectError(f"Stack '{stack}' with configuration key '{key}' must be of type '{kind}'")


def interpreter(folder: Path, runtime: Any) -> str:
    """The Python of the program: its virtual environment's, else ours."""
    options = runtime.get("options") or {} if isinstance(runtime, dict) else {}
    python = folder / options.get("virtualenv", "") / "bin" / "python"
    return str(python) if python.exists() else sys.executable
