"""What is published of `--json`: a JSON Schema of what each command prints, made from the types that it prints.

`make keys` writes it; a test holds it current, and whatever the scenarios have commands print is held against it.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from xtsync_resources.operate.approve import Approved
from xtsync_resources.operate.checks.finding import Finding
from xtsync_resources.operate.export import Exported
from xtsync_resources.operate.forget import Forgotten
from xtsync_resources.operate.permissions import Permissions
from xtsync_resources.operate.plan import Plan
from xtsync_resources.operate.provision import Provisioned
from xtsync_resources.operate.report.document import Reported
from xtsync_resources.operate.screen import Failed, in_camel_case
from xtsync_resources.operate.status import Status
from xtsync_resources.operate.verify.record import Record
from xtsync_resources.sync_job.provisioning_log import Event

FILE = Path(__file__).with_name("outputs.schema.json")
ERROR = "error"
DOCUMENTS: Mapping[str, Any] = {
    "approve-deletions": Approved,
    "doctor": Sequence[Finding],
    "export": Exported,
    "forget": Sequence[Forgotten],
    "logs": Sequence[Event],
    "pause": Status,
    "permissions": Mapping[str, Permissions],
    "plan": Plan,
    "provision": Sequence[Provisioned],
    "restart": Status,
    "report": Sequence[Reported],
    "resume": Status,
    "status": Status,
    "verify": Record,
    ERROR: Failed,
}
ABOUT = (
    "What `xtsync COMMAND --json` prints is as #/$defs/COMMAND says, with exit code 0 or 1; report also with 2, where "
    "a pair could not be read. Where it fails, with exit code 2, where the job is gone, or somebody declines a "
    f"question, with 1, it is as #/$defs/{ERROR} says. Members may be added; one is taken away, or means something "
    "else, with a new major version only."
)
# A member of a class, or several, in its docstring.
MEMBERS = re.compile(r"^ {4}(\w[\w, ]*): (.+(?:\n {8,}.+)*)", re.MULTILINE)


def schema() -> dict[str, Any]:
    """The schema of all documents."""
    wanted = [(name, "serialization", TypeAdapter(kind)) for name, kind in DOCUMENTS.items()]
    roots, parts = TypeAdapter.json_schemas(wanted, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    kinds = {one.__name__: one for kind in DOCUMENTS.values() for one in dataclasses_in(kind)}
    described = {
        name: described_object(part, kinds[name]) if name in kinds else part for name, part in parts["$defs"].items()
    }
    named: dict[str, Any] = {name: roots[name, "serialization"] for name in DOCUMENTS}
    found: dict[str, Any] = without_titles(named | described)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What the commands of xtsync print with --json",
        "description": ABOUT,
        "$defs": found,
    }


def dataclasses_in(kind: Any) -> Iterator[type]:
    """The dataclasses that a type is made of."""
    if is_dataclass(kind) and isinstance(kind, type):
        yield kind
        kinds: Iterable[Any] = get_type_hints(kind).values()
    else:
        kinds = get_args(kind)
    for one in kinds:
        yield from dataclasses_in(one)


def described_object(part: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """An object as it is printed, which is with all its members, and what its docstring says of them."""
    documented = [inspect.getdoc(one) or "" for one in reversed(kind.__mro__) if is_dataclass(one)]
    words = {
        name: " ".join(text.split()).replace("None", "null")
        for names, text in (found.groups() for one in documented for found in MEMBERS.finditer(one))
        for name in names.split(", ")
    }
    members = {
        in_camel_case(name): one | ({"description": words[name]} if name in words else {})
        for name, one in part["properties"].items()
    }
    summary = documented[-1].partition("\n")[0]
    return {"type": "object", "description": summary, "properties": members, "required": list(members)}


def without_titles(value: Any) -> Any:
    """A schema without titles and defaults, which repeat names and say nothing of what is printed."""
    if isinstance(value, Mapping):
        said = {"title", "default"} if not isinstance(value.get("title"), Mapping) else set()
        return {key: without_titles(one) for key, one in value.items() if key not in said}
    return [without_titles(one) for one in value] if isinstance(value, list) else value


def published() -> str:
    """What the file ought to hold."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(published(), encoding="utf-8")
