"""Where a deployment would act. The lab is for trying the program: on this machine only, unless told otherwise."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab.engine import ProjectError
from lab.engine.state import PROVIDER_PREFIX
from lab.project import read

HOST = "metadataHost"
# Pulumi notes its own provider where a program has asked for the state; it acts nowhere.
OF_PULUMI = "pulumi:providers:pulumi"


def refuse_elsewhere(program: Path, stack_file: Path, state: Mapping[str, Any], *, runs_program: bool) -> None:
    """Refuse a deployment to tenants that are not on this machine, whether the configuration or the state names them.

    Args:
        program: the program's folder.
        stack_file: the stack's configuration.
        state: as `export` gives it; a refresh and a destroy act where it says.
        runs_program: whether the configuration counts.

    Raises:
        ProjectError: it would act elsewhere, or nothing says where.
    """
    hosts = [*hosts_of_state(state), *(hosts_of_configuration(program, stack_file) if runs_program else [])]
    elsewhere = sorted({host for host in hosts if not is_loopback(host)})
    if elsewhere:
        raise ProjectError(
            f"the lab acts on this machine only, and this stack would act on {elsewhere[-1] or 'a cloud'}. It is for "
            "trying the program, not for tenants that matter: use Pulumi itself for those, or say --any-endpoint"
            f"{strayed_host(program, stack_file) if elsewhere == [''] else ''}"
        )


def hosts_of_configuration(program: Path, stack_file: Path) -> list[str]:
    """The metadata hosts the stack's file names, or else the project's; "" for none, which is a cloud.

    Pulumi takes a key without a namespace for the project's, `NAMESPACE:config:KEY` for `NAMESPACE:KEY`, and any of two
    that are the same: so all of them count.
    """
    name, project, stack = read_both(program, stack_file)
    ours = (HOST, f"{name}:{HOST}", f"{name}:config:{HOST}")
    for document in (stack, project):
        found = [value for key, value in (document.get("config") or {}).items() if key in ours]
        if found:
            return [str(one.get("default", one.get("value")) if isinstance(one, dict) else one) for one in found]
    return [""]


def read_both(program: Path, stack_file: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The project's name, its file and the stack's; empty where there is none."""
    project, stack = (read(path) if path.exists() else {} for path in (program / "Pulumi.yaml", stack_file))
    return str(project.get("name") or "xtsync"), project, stack


def strayed_host(program: Path, stack_file: Path) -> str:
    """A sentence more, where the stack file names a host in another namespace than the project's."""
    name, _, stack = read_both(program, stack_file)
    written = [key for key in stack.get("config") or {} if key.endswith(f":{HOST}") and key != f"{name}:{HOST}"]
    if not written:
        return ""
    return f". {stack_file.name} says {written[0]}, but this project is called {name}: write {name}:{HOST}"


def hosts_of_state(state: Mapping[str, Any]) -> Iterator[str]:
    """The metadata host of every provider in a state."""
    for resource in state["deployment"].get("resources") or ():
        if resource["type"].startswith(PROVIDER_PREFIX) and resource["type"] != OF_PULUMI:
            inputs = resource.get("inputs") or {}
            yield str(inputs.get(f"xtsync:{HOST}") or inputs.get(HOST) or "")


def is_loopback(host: str) -> bool:
    """Whether HOST or HOST:PORT is this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost"
