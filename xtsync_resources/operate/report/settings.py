"""The configuration of a pair as rows: each key, its value, and where that came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

from ...config import SIDES, Settings, Tenant
from ...config.keys import keys_of
from ...config.kinds import Secret
from ...graph.clouds import Cloud
from ...graph.secret_origin import certificate_password, client_secret
from .section import Setting

STACK_FILE, DEFAULT = "stack file", "default"


def described(settings: Settings, given: Mapping[str, Any], environment: Mapping[str, str]) -> list[Setting]:
    """The configuration as rows; of client secrets only where they come from."""
    rows = [
        Setting(name, text, STACK_FILE if name in given else DEFAULT)
        for name, one in keys_of(Settings).items()
        if name not in SIDES and not isinstance(one.kind, Secret) and (text := in_words(getattr(settings, one.field)))
    ]
    tenants = (settings.source, settings.target)
    return [row for tenant in tenants for row in of_tenant(tenant, given, environment)] + rows


def in_words(value: object) -> str:
    """A setting on one line; "" for none."""
    if isinstance(value, Cloud):
        return value.name
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {in_words(part)}" for name, part in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(in_words, value))
    if is_dataclass(value):
        parts = {name: getattr(value, one.field) for name, one in keys_of(type(value)).items()}
        return "; ".join(f"{name}: {text}" for name, part in parts.items() if part and (text := in_words(part)))
    return f"{value:g}" if isinstance(value, (int, float)) else str(value) if isinstance(value, str) else ""


def of_tenant(tenant: Tenant, given: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Setting]:
    """The rows of one side."""
    own = given.get(tenant.side)
    own = json.loads(own) if isinstance(own, str) else own
    for name, one in keys_of(Tenant).items():
        if text := in_words(getattr(tenant, one.field)):
            yield Setting(f"{tenant.side}.{name}", text, STACK_FILE if name in (own or {}) else DEFAULT)
    if tenant.auth == "secret":
        named = client_secret(tenant.side, environment).named
        origin = f"environment ({', '.join(named)})" if named else STACK_FILE
        yield Setting(f"{tenant.side}ClientSecret", "(not shown)", origin)
    named = certificate_password(tenant.side, environment).named
    if tenant.auth == "certificate" and named:
        yield Setting(f"{tenant.side} certificate password", "(not shown)", f"environment ({', '.join(named)})")
