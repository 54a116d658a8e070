"""Every call to Graph that the product declares."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import get_type_hints

import xtsync_resources
from xtsync_resources.graph.call import Call


def modules() -> list[ModuleType]:
    """The modules that hold calls, one for each Graph object."""
    found = (f"xtsync_resources.{one.name}.calls" for one in pkgutil.iter_modules(xtsync_resources.__path__))
    return [import_module(name) for name in found if exists(name)]


def exists(name: str) -> bool:
    folder = import_module(name.rpartition(".")[0])
    return "calls" in {one.name for one in pkgutil.iter_modules(getattr(folder, "__path__", []))}


def makers() -> Mapping[str, Callable[..., Call]]:
    """What makes a call, by name; not what several of them share."""
    found: dict[str, Callable[..., Call]] = {}
    for module in modules():
        for name, maker in vars(module).items():
            if not inspect.isfunction(maker) or maker.__module__ != module.__name__ or name.startswith("_"):
                continue
            if get_type_hints(maker).get("return") is Call and "method" not in inspect.signature(maker).parameters:
                assert name not in found, f"two folders have a call {name}"
                found[name] = maker
    return found
