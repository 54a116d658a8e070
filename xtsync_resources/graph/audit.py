"""The audit: one line of JSON for each write, in the file that `XTSYNC_AUDIT` names; nothing where it names none.

A line says when, in which run, stack and tenant, by which sign-in, what was written to which object, each field with
its value before (as this process read it last) and after, how Graph answered, and the ids of the request. Secrets are
not in it. A write that cannot be recorded is not made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from ..redaction import redacted
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
# What tells the items of a list apart, so that one that goes is not taken for a change of all behind it.
NAMES = ("key", "targetAttributeName", "name", "id", "target", "sourceObjectName")


@dataclass
class Outcome:
    """What a call led to; without a response there was no answer, or one that is an error."""

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
        """Around a call: what it reads is remembered, what it writes is recorded, whether it succeeds or fails.

        Raises:
            ConfigurationError: the file cannot be written; then the call is not made.
        """
        outcome = Outcome()
        if call.writes:
            self.check()
        try:
            yield outcome
        except Exception as error:
            if call.writes:
                self._failed(call, error)
            raise
        if call.method == "GET":
            self._remember(object_of(call), outcome.document)
        elif call.writes:
            self._succeeded(call, outcome)

    def check(self) -> None:
        """Refuse to go on where the file cannot be written.

        Raises:
            ConfigurationError: it cannot.
        """
        self._append("")

    def _remember(self, path: str, document: Mapping[str, Any]) -> None:
        """What an object says, or each of a collection, for the write that may follow."""
        entries = document.get("value")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, Mapping) and entry.get("id"):
                self._seen[f"{path}/{segment(str(entry['id']))}"] = without_secrets(dict(entry))
        self._seen[path] = without_secrets(dict(document))

    def _succeeded(self, call: Call, outcome: Outcome) -> None:
        assert outcome.response is not None
        headers = outcome.response.headers
        ids = {name: headers.get(header, "") for name, header in REQUEST_IDS.items()}
        if not call.parts:
            self.record(call, outcome.response.status, ids, outcome.document)
            return
        answers = {part["id"]: part for part in outcome.document.get("responses") or ()}
        for place, part in enumerate(call.parts):
            self.record(part, answers.get(str(place), {}).get("status"), ids)

    def _failed(self, call: Call, error: Exception) -> None:
        answer = error.answer if isinstance(error, GraphError) else None
        ids = {"requestId": answer.request_id, "clientRequestId": answer.client_request_id} if answer else {}
        for part in call.parts or (call,):
            self.record(part, answer.status if answer else None, ids)

    def record(
        self,
        call: Call,
        status: int | None,
        request_ids: Mapping[str, str],
        document: Mapping[str, Any] | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Record a write.

        Args:
            call: the write.
            status: how Graph answered; None where no answer came, or none that is known.
            request_ids: of the answer.
            document: the answer.
            about: what is known of it besides, where that is not what `about` of the constructor says.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        tenant, path = self._sign_in.tenant, object_of(call)
        after = None if call.body is None else without_secrets(dict(call.body))
        before = None if call.method == "POST" else self._seen.get(path)
        changes = list(changed(call.method, before, after))
        run = next((value for name in RUNS if (value := os.environ.get(name))), "")
        line = {
            "time": self._clock.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **(self._about() if about is None else about),
            **({"run": run} if run else {}),
            "tenant": {"side": tenant.side, "name": tenant.name, "id": tenant.id},
            "signIn": {"kind": self._sign_in.kind, "clientId": self._sign_in.client_id},
            "action": call.purpose,
            "method": call.method,
            "object": path,
            "made": str((document or {}).get("id") or "") if call.method == "POST" else "",
            "status": status,
            **request_ids,
            "changes": changes[:MOST_CHANGES],
            "furtherChanges": max(len(changes) - MOST_CHANGES, 0),
        }
        self._append(redacted(json.dumps({name: value for name, value in line.items() if value not in ("", 0)})) + "\n")
        if status is not None and status < 300:
            self._seen.pop(path, None)

    def _append(self, text: str) -> None:
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, text.encode())
            finally:
                os.close(file)
        except OSError as error:
            what = f"Cannot record what is written in {self._sign_in.tenant}"
            why = f"{FILE} names a file that cannot be written ({error.strerror})"
            raise ConfigurationError(what, why, f"name another file in {FILE}, or unset it") from None


REQUEST_IDS = {"requestId": "request-id", "clientRequestId": "client-request-id"}


def object_of(call: Call) -> str:
    """The address of an object, without what is asked about it."""
    return call.path.partition("?")[0]


def changed(method: str, before: Any, after: Any) -> Iterator[dict[str, Any]]:
    """The fields that a write changes, each with its value before, where that was read, and after."""
    old, new = dict(leaves(before)), dict(leaves(after))
    for name, value in new.items():
        if name not in old or old[name] != value:
            yield {"field": name, **({"old": old[name]} if name in old else {}), "new": value}
    if method in ("PUT", "DELETE"):  # what is not sent is gone
        yield from ({"field": name, "old": value} for name, value in old.items() if name not in new)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no object and no list, by where it is."""
    value = unpacked(value)
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not str(name).startswith("@odata"):
                yield from leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            by = name_in(item)
            rest = {name: inner for name, inner in item.items() if name != by} if by else item
            yield from leaves(rest, f"{path}[{item[by] if by else place}]")
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
