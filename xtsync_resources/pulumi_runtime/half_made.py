"""What may have been written, though the operation failed, is kept: else whoever takes it back finds no difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..graph.errors import XtsyncError
from .engine import Partial

if TYPE_CHECKING:
    from ..graph.operation import Operation

# An output that only such an object has: what failed.
UNSEEN = "unseen"


@contextmanager
def kept_if_written(operation: Operation, id_: str, outputs: Callable[[], Mapping[str, Any]]) -> Iterator[None]:
    """Have the engine keep an object, where a write may have been carried out and the operation fails after that.

    The next `pulumi up` updates it then, whatever is configured: the same again, or what was there before. What is
    kept has all that was managed before this operation, with the values of then, and what is managed newly: so that
    run announces and guards what this one was to change, and whatever it has no more is put back.

    Args:
        operation: whose writes count.
        id_: of the object.
        outputs: gives its properties.

    Raises:
        Partial: a write may have been carried out.
        XtsyncError: none was.
    """
    try:
        yield
    except XtsyncError as error:
        if not operation.has_written:
            raise
        raise Partial(id_, {**outputs(), UNSEEN: error.what}, [error]) from None
