"""What every area's backend needs to know of its tenant and of the world around it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lab.entra.clock import Clock
from lab.entra.replica import Replica
from lab.entra.settings import Settings


def new_id() -> str:
    """A fresh object id."""
    return str(uuid.uuid4())


@dataclass
class Context:
    """One tenant's identity, clock, switches and replicas, shared by its backends."""

    tenant_id: str
    clock: Clock
    read_settings: Callable[[], Settings]
    replica: Replica = field(init=False)
    far_side: Replica = field(init=False)

    def __post_init__(self) -> None:
        self.replica = Replica(self.now, self._lag)
        self.far_side = Replica(self.now, lambda _: (0, self.settings.policy_propagation_seconds))

    def _lag(self, kind: str) -> tuple[int, float]:
        settings = self.settings
        return (0, 0) if kind in settings.lag_spares else (settings.lag_reads, settings.lag_seconds)

    @property
    def settings(self) -> Settings:
        """The switches in force for this tenant."""
        return self.read_settings()

    def now(self) -> datetime:
        """The present."""
        return self.clock.now()
