"""Wire errors every Graph area shares. Each area has its own beside these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class GraphError(Exception):
    """An answer in Graph's error envelope."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = dict(headers or {})

    def body(self, date: str, request_id: str, client_request_id: str) -> dict[str, Any]:
        """The envelope with the ids of this exchange."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = self.details
        error["innerError"] = {
            "date": date,
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        return {"error": error}


def bad_request(message: str) -> GraphError:
    """400 for a body the directory does not take."""
    return GraphError(400, "Request_BadRequest", message)


def invalid_property(name: str) -> GraphError:
    """400 for a name the entity does not have; names are case sensitive."""
    return bad_request(f"Invalid property '{name}'.")


def not_found(object_id: str) -> GraphError:
    """404 for an object that is not there or not there yet."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
    )


def denied() -> GraphError:
    """403 for a missing permission or a missing ownership."""
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def blank_unauthorized() -> GraphError:
    """The synchronization service's way of saying 403."""
    return GraphError(401, "UnknownError", "")


def invalid_token(message: str) -> GraphError:
    """401 for a token Graph does not accept."""
    return GraphError(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": "Bearer"})


def throttled(seconds: int) -> GraphError:
    """429 with the wait in whole seconds."""
    return GraphError(429, "TooManyRequests", "Please retry again later.", headers={"Retry-After": str(seconds)})


def no_route(method: str, path: str) -> GraphError:
    """501: the emulator does not know this call, and says so loudly rather than guess."""
    return GraphError(501, "NotImplemented", f"The emulator does not implement {method} {path}.")


def method_not_allowed(method: str) -> GraphError:
    """405 for a known address and a method it does not have."""
    return GraphError(
        405, "Request_BadRequest", f"Specified HTTP method is not allowed for the request target: {method}."
    )


def no_segment(segment: str) -> GraphError:
    """400 for an address that exists only in the other version."""
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
