"""An error leaves a provider process as its message, whichever of the tree it is."""

from __future__ import annotations

from typing import Any

import pytest
from google.rpc import status_pb2

from xtsync_resources.graph.errors import XtsyncError
from xtsync_resources.pulumi_runtime.engine import UNKNOWN
from xtsync_resources.pulumi_runtime.provider import plain_errors


class Context:
    """What gRPC hands to a provider; the SDK keeps it in a variable of this name."""

    def __init__(self) -> None:
        self.trailing: Any = ()

    def set_trailing_metadata(self, pairs: Any) -> None:
        self.trailing = pairs


def serve(request: object, context: Context, error: XtsyncError) -> None:
    """Serve a call as the SDK does, by the names that are looked for on its stack."""
    with plain_errors():
        raise error


def tree(kind: type[XtsyncError]) -> list[type[XtsyncError]]:
    return [kind, *(below for one in kind.__subclasses__() for below in tree(one))]


@pytest.mark.parametrize("kind", tree(XtsyncError))
def test_the_engine_is_told_an_error_without_the_name_of_its_class(kind: type[XtsyncError]) -> None:
    error = kind.__new__(kind)
    XtsyncError.__init__(error, "Cannot do it", "it is Monday", "wait")
    context = Context()
    with pytest.raises(kind):
        serve(object(), context, error)
    ((key, value),) = context.trailing
    status = status_pb2.Status.FromString(value)
    assert (key, status.code) == ("grpc-status-details-bin", UNKNOWN)
    assert status.message == str(error)
    assert status.message.startswith("Cannot do it.")
