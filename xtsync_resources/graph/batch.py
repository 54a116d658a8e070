"""Many calls in few requests: JSON batching, with each part of a batch repeated by itself.

Source: https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from . import json_reader
from .call import Call
from .errors import GraphError, NotFoundError, UnusableAnswerError, graph_error, parse_answer
from .headers import parse_retry_after
from .retry import jittered, may_repeat

if TYPE_CHECKING:
    from .operation import Operation

LARGEST_BATCH = 20


class AnsweredPart(TypedDict):
    """What the answer to one call of a batch has to say."""

    id: str
    status: int


class BatchPart(AnsweredPart, total=False):
    """The answer to one call of a batch."""

    headers: dict[str, Any] | None
    body: Any


class Batch(TypedDict):
    """The answers to the calls of a batch, in any order."""

    responses: list[BatchPart]


# What stands for the answer of a part that the answer of the batch leaves out.
NO_ANSWER: Mapping[str, Any] = {"status": 504}


def remove_all(operation: Operation, removals: Sequence[Call], purpose: str) -> list[Call]:
    """Make many DELETE calls, twenty in a request. What is gone already is done.

    Returns:
        The calls that found nothing there.

    Raises:
        CallError: Graph refused one of them, or the operation's deadline passed.
    """
    absent: list[Call] = []
    for start in range(0, len(removals), LARGEST_BATCH):
        absent += remove_group(operation, removals[start : start + LARGEST_BATCH], purpose)
    return absent


def remove_group(operation: Operation, removals: Sequence[Call], purpose: str) -> list[Call]:
    """Make the calls of one request, and those that were throttled or may not have been carried out again."""
    absent: list[Call] = []
    for attempt in itertools.count():
        failures = send(operation, removals, purpose, absent)
        if not failures:
            break
        pause = pause_after(failures, attempt)
        if pause >= operation.remaining:
            raise failures[0]
        operation.status(f"{purpose}: {len(failures)} of {len(removals)} are to be repeated; again in {pause:.0f} s")
        operation.client.clock.sleep(pause)
        removals = [failure.call for failure in failures]
    return absent


def in_one_request(purpose: str, parts: Sequence[Call]) -> Call:
    """Several calls in one request, each answered by itself under its place in the sequence."""
    requests = [
        {
            "id": str(place),
            "method": part.method,
            "url": part.path,
            **({"headers": dict(part.headers)} if part.headers else {}),
        }
        for place, part in enumerate(parts)
    ]
    one = parts[0]
    body = {"requests": requests}
    return Call(
        "POST",
        "/$batch",
        purpose,
        one.permission,
        one.role,
        body,
        one.repeat,
        one.version,
        parts=tuple(parts),
        answer=Batch,
    )


def ask(operation: Operation, parts: Sequence[Call], purpose: str) -> list[Mapping[str, Any] | GraphError]:
    """Send one request; for each of its calls the answer, or the error that it is."""
    answers = {part["id"]: part for part in operation.send(in_one_request(purpose, parts))["responses"]}
    answered = (answers.get(str(place), NO_ANSWER) for place in range(len(parts)))
    return [failure(operation, call, part) or part for call, part in zip(parts, answered, strict=True)]


def send(operation: Operation, removals: Sequence[Call], purpose: str, absent: list[Call]) -> list[GraphError]:
    """Send one request; the failures in its answer that are worth repeating. Notes what was not there."""
    failures = []
    for call, answer in zip(removals, ask(operation, removals, purpose), strict=True):
        if isinstance(answer, NotFoundError):
            absent.append(call)
        elif isinstance(answer, GraphError):
            if not may_repeat(call.repeat, answer):
                raise answer
            failures.append(answer)
    return failures


def failure(operation: Operation, call: Call, part: Mapping[str, Any]) -> GraphError | None:
    """The error that a part of the answer is; None where it went well."""
    status = int(part["status"])
    if 200 <= status < 300:
        return None
    headers = {str(name).lower(): str(value) for name, value in (part.get("headers") or {}).items()}
    retry_after = parse_retry_after(headers.get("retry-after"), operation.client.clock.now())
    answer = parse_answer(status, headers, json.dumps(part.get("body") or {}).encode(), retry_after)
    return graph_error(call, operation.tenant, answer)


def pause_after(failures: Sequence[GraphError], attempt: int) -> float:
    """Seconds before the next try: the longest that Graph asks for, else exponential with full jitter."""
    asked = max((failure.answer.retry_after or 0.0 for failure in failures), default=0.0)
    return asked or jittered(attempt)


# --- reading -----------------------------------------------------------------------------------------------


def read_all(operation: Operation, reads: Sequence[Call], purpose: str) -> list[dict[str, Any] | GraphError]:
    """Make many GET calls, twenty in a request; gives in their order what each answers, or how it was refused.

    Raises:
        CallError: the requests themselves failed.
    """
    found: list[dict[str, Any] | GraphError] = []
    for start in range(0, len(reads), LARGEST_BATCH):
        found += read_group(operation, reads[start : start + LARGEST_BATCH], purpose)
    return found


def read_group(operation: Operation, reads: Sequence[Call], purpose: str) -> list[dict[str, Any] | GraphError]:
    """The answers of one request; those that were throttled or failed for the moment are asked for again."""
    found: dict[int, dict[str, Any] | GraphError] = {}
    due = list(range(len(reads)))
    for attempt in itertools.count():
        failed: dict[int, GraphError] = {}
        for place, answer in zip(due, ask(operation, [reads[place] for place in due], purpose), strict=True):
            if not isinstance(answer, GraphError):
                page = checked(operation, reads[place], answer.get("body"))
                found[place] = dict(operation.with_all_pages(reads[place], page))
            elif may_repeat(reads[place].repeat, answer):
                failed[place] = answer
            else:
                found[place] = answer
        pause = pause_after(list(failed.values()), attempt)
        if not failed or pause >= operation.remaining:
            break
        operation.client.clock.sleep(pause)
        due = list(failed)
    outcomes = {**found, **failed}
    return [outcomes[place] for place in range(len(reads))]


def checked(operation: Operation, call: Call, body: Any) -> dict[str, Any]:
    """The body of a part, which has to have the shape that its call declares.

    Raises:
        UnusableAnswerError: it has another one.
    """
    try:
        document: dict[str, Any] = json_reader.read(json.dumps(body or {}).encode(), call.answer)
    except json_reader.ShapeError as error:
        raise UnusableAnswerError(call, operation.tenant, str(error)) from None
    return document
