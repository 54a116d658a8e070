"""The audit: what is written in a tenant, in the file that `XTSYNC_AUDIT` names; nothing where it names none.

Two lines of JSON for each write, joined by `write`. The first is in the file before the call is made: when, in which
run, stack and tenant, by which sign-in, what is written to which object, each field with its value before (as this
process read it last) and after. A call that cannot be announced like that is not made. The second says how Graph
answered. Where it is missing the run was killed, or the disk was full: then the write may have been made. Secrets are
in neither.
"""

from __future__ import annotations

import json
import os
import stat
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from ..redaction import MASK, redacted
from . import json_reader
from .call import segment
from .errors import ConfigurationError, GraphError
from .wire_log import without_secrets

if TYPE_CHECKING:
    from .call import Call
    from .clock import Clock
    from .sign_in import SignIn
    from .transport import Response

FILE = "XTSYNC_AUDIT"
# How whoever runs us names the run: by itself, or as a pipeline.
RUNS = ("XTSYNC_RUN", "GITHUB_RUN_ID", "BUILD_BUILDID")
MOST_CHANGES = 500
LONGEST_VALUE = 2000
DEPTH = 64
# What tells the items of a list apart, so that one that goes is not taken for a change of all behind it.
NAMES = ("key", "targetAttributeName", "name", "id", "target", "sourceObjectName")
REQUEST_IDS = {"requestId": "request-id", "clientRequestId": "client-request-id"}
Record = dict[str, Any]


@dataclass
class Outcome:
    """What a call led to.

    Attributes:
        document: the answer; empty where there is none, or it could not be used.
        response: what came, whatever it says; None where nothing came.
    """

    document: Mapping[str, Any] = field(default_factory=dict)
    response: Response | None = None


class Audit:
    """Records the writes of one tenant.

    Args:
        path: of the file; lines are appended.
        sign_in: who writes, and where.
        clock: the time.
        about: says what else is known of a write when it is made: run, stack, resource.
    """

    def __init__(self, path: str, sign_in: SignIn, clock: Clock, about: Callable[[], Mapping[str, str]]) -> None:
        self._path, self._sign_in, self._clock, self._about = path, sign_in, clock, about
        self._seen: dict[str, Any] = {}

    @classmethod
    def asked_for(
        cls, environment: Mapping[str, str], sign_in: SignIn, clock: Clock, about: Callable[[], Mapping[str, str]]
    ) -> Audit | None:
        """The audit, where the environment asks for one."""
        path = environment.get(FILE)
        return cls(path, sign_in, clock, about) if path else None

    @contextmanager
    def of_call(self, call: Call) -> Iterator[Outcome]:
        """Around a call: what it reads is remembered, what it writes is announced, and then its answer recorded.

        Raises:
            ConfigurationError: the file cannot be written; then the call is not made.
        """
        outcome = Outcome()
        parts = [(part, self.announce(part)) for part in call.parts or (call,)] if call.writes else []
        try:
            yield outcome
        except BaseException as error:
            self._answered(parts, outcome, error)
            raise
        if call.method == "GET":
            self._remember(object_of(call), outcome.document)
        self._answered(parts, outcome)

    def check(self) -> None:
        """Refuse to go on where the file cannot be written.

        Raises:
            ConfigurationError: it cannot.
        """
        self._append("")

    def announce(self, call: Call, resource: str = "") -> str:
        """Say what is about to be written; gives the id of the write.

        Args:
            call: the write.
            resource: whose it is, where `about` does not say.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        write, tenant, path = str(uuid.uuid4()), self._sign_in.tenant, object_of(call)
        before = None if call.method == "POST" else self._seen.get(path)
        changes = changes_of(call.method, before, None if call.body is None else dict(call.body))
        run = next((value for name in RUNS if (value := os.environ.get(name))), "")
        self._record(
            {
                "time": self._now(),
                "write": write,
                **self._about(),
                **({"resource": resource} if resource else {}),
                **({"run": run} if run else {}),
                "tenant": {"side": tenant.side, "name": tenant.name, "id": tenant.id},
                "signIn": {"kind": self._sign_in.kind, "clientId": self._sign_in.client_id},
                "action": call.purpose,
                "method": call.method,
                "object": path,
                "changes": changes[:MOST_CHANGES],
                "furtherChanges": max(len(changes) - MOST_CHANGES, 0),
            }
        )
        self._seen.pop(path, None)
        return write

    def answer(self, write: str, status: int | None, made: str = "", ids: Mapping[str, str] | None = None) -> None:
        """Say how a write was answered. A disk that is full now stops the next write, and hides no answer.

        Args:
            write: its id.
            status: how Graph answered; None where that is not known.
            made: the id of what came to be.
            ids: of the request.
        """
        with suppress(ConfigurationError):
            self._record({"time": self._now(), "write": write, "status": status, "made": made, **(ids or {})})

    def _answered(self, parts: list[tuple[Call, str]], outcome: Outcome, error: BaseException | None = None) -> None:
        response, answers = outcome.response, {}
        headers = {} if response is None else response.headers
        ids = {name: headers.get(header, "") for name, header in REQUEST_IDS.items()}
        status = None if response is None else response.status
        if isinstance(error, GraphError):
            status, ids = error.answer.status, {**ids, "requestId": error.answer.request_id or ids["requestId"]}
        for one in outcome.document.get("responses") or ():
            answers[one["id"]] = one["status"]
        for place, (part, write) in enumerate(parts):
            made = str(outcome.document.get("id") or "") if part.method == "POST" else ""
            in_batch = len(answers) > 0
            self.answer(write, answers.get(str(place)) if in_batch else status, made, ids)

    def _remember(self, path: str, document: Mapping[str, Any]) -> None:
        """What an object says, or each of a collection, for the write that may follow."""
        value = document.get("value")
        entries = value if isinstance(value, list) else []
        objects = [one for one in entries if isinstance(one, Mapping) and one.get("id")]
        self._seen |= {f"{path}/{segment(str(one['id']))}": one for one in objects}
        if not objects:  # one object, or a collection that is written whole
            self._seen[path] = document

    def _now(self) -> str:
        return self._clock.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _record(self, line: Record) -> None:
        said = {name: value for name, value in line.items() if value not in ("", 0)}
        self._append(json.dumps(plain(said)) + "\n")

    def _append(self, text: str) -> None:
        """Append to the file, which has to be a regular one, and end a line first that was cut off.

        Raises:
            ConfigurationError: it cannot be done.
        """
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            file = os.open(self._path, flags, 0o600)
            try:
                found = os.fstat(file)
                if not stat.S_ISREG(found.st_mode):
                    raise OSError(0, "it is no regular file")
                cut = found.st_size and os.pread(file, 1, found.st_size - 1) != b"\n"
                left = (("\n" if cut else "") + text).encode()
                while text and left:
                    left = left[os.write(file, left) :]
                if text:
                    os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            what = f"Cannot record what is written in {self._sign_in.tenant}"
            why = f"{FILE} names a file that cannot be written ({error.strerror})"
            raise ConfigurationError(what, why, f"name another file in {FILE}, or unset it") from None


def object_of(call: Call) -> str:
    """The address of an object, without what is asked about it."""
    return call.path.partition("?")[0]


def plain(value: Any) -> Any:
    """The same without what may not be shown, and without the end of a long text."""
    if isinstance(value, Mapping):
        return {redacted(str(name)): plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if not isinstance(value, str):
        return value
    text = redacted(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}... ({len(text)} characters)"


# --- changes ---------------------------------------------------------------------------------------------------


def changes_of(method: str, before: Any, after: Any) -> list[Record]:
    """The fields that a write changes, without secrets; one entry in their place where they cannot be told apart."""
    try:
        shown = dict(leaves(without_secrets(before))), dict(leaves(without_secrets(after)))
        return [masked(change, *shown) for change in changed(method, before, after)]
    except (RecursionError, ValueError):
        return [{"field": "(what is written is nested too deep to be shown)"}]


def masked(change: Record, old: Mapping[str, Any], new: Mapping[str, Any]) -> Record:
    """A change as it may be shown: what is or may be secret is compared, and not shown."""
    name = change["field"]
    found = dict(change)
    if "old" in change:
        found["old"] = old.get(name, MASK)
    if "new" in change and change["new"] is not None:
        found["new"] = new.get(name, MASK)
    return found


def changed(method: str, before: Any, after: Any) -> Iterator[Record]:
    """The fields that a write changes, each with its value before, where that was read, and after."""
    old, new = dict(leaves(before)), dict(leaves(after))
    for name, value in new.items():
        was_object = value is None and name not in old
        below = [one for one in old if was_object and one.startswith(f"{name}.")]
        yield from ({"field": one, "old": old[one], "new": None} for one in below)
        if not below and (name not in old or old[name] != value):
            yield {"field": name, **({"old": old[name]} if name in old else {}), "new": value}
    if method in ("PUT", "DELETE"):  # what is not sent is gone
        yield from ({"field": name, "old": value} for name, value in old.items() if name not in new)


def leaves(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every value that is no object and no list, or empty, by where it is.

    Raises:
        ValueError: it is nested too deep.
    """
    if depth > DEPTH:
        raise ValueError("nested too deep")
    value = unpacked(value)
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            if not str(name).startswith("@odata"):
                yield from leaves(inner, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list) and value:
        names: set[str] = set()
        for place, item in enumerate(value):
            by = name_in(item)
            name = str(item[by]) if by else str(place)
            while name in names:
                name += "#"
            names.add(name)
            rest = {one: inner for one, inner in item.items() if one != by} if by else item
            yield from leaves(rest, f"{path}[{name}]", depth + 1)
    elif path:
        yield path, value


def unpacked(value: Any) -> Any:
    """An object that is written as text, as some settings are; anything else as it is."""
    if isinstance(value, str) and value.startswith("{"):
        with suppress(ValueError):
            return json_reader.read(value)
    return value


def name_in(item: Any) -> str:
    """Which member tells an item of a list from the others; "" where none does."""
    if not isinstance(item, Mapping):
        return ""
    return next((name for name in NAMES if isinstance(item.get(name), str) and item[name]), "")
