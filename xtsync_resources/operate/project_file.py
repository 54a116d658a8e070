"""The project's file: the namespace of our keys, and the values it gives to stacks that leave them out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import namespace
from ..graph.errors import ConfigurationError
from .yaml_files import read_yaml

PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml")


def enter_project(folder: Path) -> Mapping[str, Any]:
    """Read the project's file, whose name is the namespace of our keys; empty where the folder has none.

    Raises:
        ConfigurationError: it cannot be read.
    """
    path = next((found for found in (folder / name for name in PROJECT_FILES) if found.exists()), None)
    do = "mend it, or give the program's folder with --cwd"
    project = {} if path is None else read_yaml(path, "project file", do, follow_link=True)
    namespace.use(project.get("name"))
    return project


def project_defaults(project: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a project's `config:`, by full key, as Pulumi gives them to stacks that leave the key out.

    A value is declared in full, with `default` or `value`, or bare.

    Raises:
        ConfigurationError: a key is there twice.

    Source: https://www.pulumi.com/docs/iac/concepts/config/#project-level-configuration
    """
    config = project.get("config")
    found: dict[str, Any] = {}
    declarations = {str(name): declared for name, declared in config.items()} if isinstance(config, dict) else {}
    for key, declared in qualified(declarations, Path(PROJECT_FILES[0])).items():
        value = declared
        if isinstance(declared, dict):
            value = declared.get("value") if declared.get("default") is None else declared["default"]
        if value is not None:
            found[key] = value
    return found


def qualified(values: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Values by full key: one without a namespace is the project's, and NAMESPACE:config:NAME the older way to say it.

    Args:
        values: by the keys of a file.
        path: the file.

    Raises:
        ConfigurationError: a key is there in two ways, of which Pulumi takes now the one, now the other.

    Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/workspace/loaders.go and, beside that folder,
    resource/config/key.go
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        written, _, name = key.rpartition(":")
        full = f"{written.removesuffix(':config') or namespace.current()}:{name}"
        if full in found:
            why = f"{full} is there twice, as with and without its namespace: Pulumi takes now the one, now the other"
            raise ConfigurationError(f"Cannot use the configuration in {path}", why, "keep the one that is meant")
        found[full] = value
    return found


def without_namespace(values: Mapping[str, Any]) -> dict[str, Any]:
    """Our keys among others', without the namespace."""
    own = namespace.full("")
    return {key.removeprefix(own): value for key, value in values.items() if key.startswith(own)}
