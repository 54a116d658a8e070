"""What Brake and Ending share: they own nothing in Graph, mark a place in the order, and act when they are deleted."""

from __future__ import annotations

from typing import ClassVar

from .lifecycle import (
    HOME,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
)

INPUTS = (HOME, "servicePrincipalId", "jobId")


class MarkerProvider(TenantResourceProvider):
    """Base of providers whose only act is their deletion; all else makes no call.

    So they are not replaced with the job: another one is only noted.
    """

    # Tells the markers of one job apart by id.
    suffix: ClassVar[str]

    def create(self, props: Properties) -> CreateResult:
        """Nothing yet."""
        return CreateResult(f"{props['jobId']}/{self.suffix}", props)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Nothing to see."""
        return ReadResult(id_, props, inputs_of(props, INPUTS))

    def update(self, _id: str, _olds: Properties, news: Properties) -> UpdateResult:
        """Nothing."""
        return UpdateResult(news)
