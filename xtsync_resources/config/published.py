"""What is published about the keys, made from their declarations: a JSON Schema for editors and the tables in the docs.

`make keys` writes both; a test holds them current.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..graph.isolation import SIDES
from .keys import Items, Key, Object, keys_of
from .kinds import Kind
from .settings import Settings, Tenant

NAMESPACE = "xtsync"
BEGIN, END = "<!-- keys: written by `make keys` -->", "<!-- end of keys -->"
HEAD = ("| key | type, default | meaning |", "|---|---|---|")
SCHEMA_FILE, TABLE_FILE = "docs/xtsync.schema.json", "docs/configuration.md"


def json_schema() -> dict[str, Any]:
    """A schema of a stack file: ours of its keys, and whatever others."""
    keys = {
        f"{NAMESPACE}:{name}": {"description": plain(one.meaning), **one.kind.schema()}
        for name, one in keys_of(Settings).items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of xtsync: Pulumi.STACK.yaml",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                "patternProperties": {f"^(?!{NAMESPACE}:)": True},
                "additionalProperties": False,
                "required": [f"{NAMESPACE}:{side}" for side in SIDES],
            }
        },
        "required": ["config"],
    }


def plain(text: str) -> str:
    """Markdown without its marks, for an editor's tooltip."""
    return text.replace("`", "")


def tables() -> str:
    """The keys as Markdown tables: the stack's own, then those inside of objects, each kind of object once."""
    sides = [row(", ".join(f"`{side}.{one.name}`" for side in SIDES), one) for one in keys_of(Tenant).values()]
    own = [row(f"`{one.name}`", one) for one in keys_of(Settings).values() if one.name not in SIDES]
    parts = ["\n".join([*HEAD, *sides, *own])]
    for declared, holders in objects(Settings).items():
        caption = f"Keys of {', '.join(f'`{name}`' for name in holders)}:"
        rows = [row(f"`{one.name}`", one) for one in keys_of(declared).values()]
        parts.append("\n".join([caption, "", *HEAD, *rows]))
    return "\n\n".join(parts)


def objects(declared: type) -> dict[type, list[str]]:
    """The dataclasses inside of one, and the keys that hold them; a tenant's have their rows already."""
    found: dict[type, list[str]] = {}
    waiting = [declared]
    while waiting:
        for one in keys_of(waiting.pop(0)).values():
            inside = declared_inside(one.kind)
            if inside in (None, Tenant):
                continue
            if inside not in found:
                waiting.append(inside)
            found.setdefault(inside, []).append(one.name)
    return found


def declared_inside(kind: Kind) -> type | None:
    """The dataclass that declares the keys inside of a value, if there is one."""
    kind = kind.item if isinstance(kind, Items) else kind
    return kind.type if isinstance(kind, Object) else None


def row(names: str, one: Key) -> str:
    """One row."""
    default = "required" if one.required else one.default or "absent"
    kind = str(one.kind)
    shown = kind.replace(f"`{default}`", f"`{default}` (default)") if f"`{default}`" in kind else f"{kind}, {default}"
    return f"| {names} | {shown} | {one.meaning} |"


def published(folder: Path) -> dict[Path, str]:
    """What the published files ought to hold, by path."""
    path = folder / TABLE_FILE
    head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    return {
        path: f"{head}{BEGIN}\n{tables()}\n{END}{tail}",
        folder / SCHEMA_FILE: json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n",
    }


if __name__ == "__main__":
    for file, text in published(Path.cwd()).items():
        file.write_text(text, encoding="utf-8")
