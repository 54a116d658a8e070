"""A schema that cannot be used, refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..graph.errors import RefusedError, TenantName
from .document import UnusableSchemaError


def refusal(tenant: TenantName, job: str, error: UnusableSchemaError) -> RefusedError:
    """What cannot be changed, in words."""
    return RefusedError(f"Cannot manage the schema of the job {job} in {tenant}", str(error), error.do)


@contextmanager
def refusing_unusable(tenant: TenantName, job: str) -> Iterator[None]:
    """Refuse a schema that cannot be used.

    Raises:
        RefusedError: in place of UnusableSchemaError.
    """
    try:
        yield
    except UnusableSchemaError as error:
        raise refusal(tenant, job, error) from None
