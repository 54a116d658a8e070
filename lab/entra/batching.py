"""JSON batching: up to twenty calls in one request, each answered by itself.

Source: https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from yarl import URL

from lab.entra.exceptions import GraphError
from lab.entra.members import check_members, require
from lab.entra.routing import Answer

if TYPE_CHECKING:
    from lab.entra.gateway import Incoming, Outgoing

PATH = "/$batch"
MOST = 20
_PART = {"id": str, "method": str, "url": str, "headers": object, "body": object, "dependsOn": object}


def answer(incoming: Incoming, body: Any, respond: Callable[[Incoming], Outgoing]) -> Answer:
    """Make every call of a batch; the answers come in another order than the calls."""
    members = check_members(body, {"requests": [_PART]})
    parts = members.get("requests") or []
    if not parts or len({part.get("id") for part in parts}) != len(parts):
        raise GraphError(400, "BadRequest", "Invalid batch payload format.")
    if len(parts) > MOST:
        message = f"Number of batch request steps exceeds the maximum value of {MOST}."
        raise GraphError(400, "MaximumValueExceeded", message)
    if any(part.get("dependsOn") for part in parts):
        raise GraphError(501, "NotImplemented", "The emulator does not know dependsOn in a batch.")
    return Answer(200, {"responses": [_responded(part, respond(_request(incoming, part))) for part in reversed(parts)]})


def _request(incoming: Incoming, part: Mapping[str, Any]) -> Incoming:
    require(part, "id", "method", "url")
    url = urlsplit(part["url"])
    if url.netloc or not url.path.startswith("/") or url.path == PATH:
        raise GraphError(400, "BadRequest", f"The url '{part['url']}' is not relative to the version.")
    own = {name.lower(): str(value) for name, value in (part.get("headers") or {}).items()}
    shared = {name: incoming.headers[name] for name in ("authorization", "user-agent") if name in incoming.headers}
    return type(incoming)(
        host_url=incoming.host_url,
        method=part["method"],
        # As a request of its own is read: an escaped slash belongs to its segment.
        path=f"/{incoming.version}{URL(url.path, encoded=True).path_safe}",
        query=dict(parse_qsl(url.query)),
        headers={**own, **shared},
        body=json.dumps(part["body"]).encode() if part.get("body") is not None else b"",
        in_batch=True,
    )


def _responded(part: Mapping[str, Any], outgoing: Outgoing) -> dict[str, Any]:
    if outgoing.reset or outgoing.cut:
        return {"id": part["id"], "status": 504}  # inside of a batch no connection can break
    found: dict[str, Any] = {"id": part["id"], "status": outgoing.status, "headers": dict(outgoing.headers)}
    if not outgoing.body:
        return found
    is_json = outgoing.headers.get("Content-Type", "").startswith("application/json")
    return {**found, "body": json.loads(outgoing.body) if is_json else b64encode(outgoing.body).decode()}
