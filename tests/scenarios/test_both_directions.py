"""Promise 4 under stale reads: the stacks of both directions, one right after the other, and at the same time."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from lab.entra import Entra, Settings
from tests.scenarios.halves import ORDERS, A, B, Half, put
from tests.scenarios.stacks import Lab
from tests.scenarios.tenants import lag
from xtsync_resources.partner_policy.model import CONSENT

OLD = 20.0


@dataclass
class EmulatorClock:
    """Sleeping moves the tenants' clock."""

    entra: Entra
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.now()

    def now(self) -> datetime:
        return self.entra.clock.now()

    def monotonic(self) -> float:
        return (self.now() - self.began).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.entra.clock.advance(seconds=seconds)


@dataclass
class Pair:
    """Both stacks' halves, whose providers live on the tenants' clock."""

    entra: Entra
    halves: dict[str, tuple[Half, Half]]
    clients: dict[Any, Any]

    def run(self, stack: str, verb: str) -> None:
        for half in self.halves[stack]:
            half.up() if verb == "up" else half.destroy()

    def flags(self) -> dict[str, Any]:
        """Automatic redemption in both tenants, None where there is no policy."""
        partners = {one: self.entra.tenants[one].policies.partners.get(other) for one, other in ((A, B), (B, A))}
        return {one: None if found is None else found.members[CONSENT] for one, found in partners.items()}

    def wanted(self, alive: set[str]) -> dict[str, Any]:
        there, back = ("there" in alive) or None, ("back" in alive) or None
        flags = {A: (back, there), B: (there, back)}
        return {
            one: {"inboundAllowed": inbound, "outboundAllowed": outbound} if alive else None
            for one, (inbound, outbound) in flags.items()
        }


@pytest.fixture
def pair(running: Any) -> Pair:
    entra, server, _ = running
    put(entra, A, B, None, None)
    put(entra, B, A, None, None)
    entra.clock.advance(minutes=5)  # nobody reads what was there in the test before
    clients: dict[Any, Any] = {}

    def half(tenant: str, partner: str, side: str) -> Half:
        return Half(server, clients, tenant, partner, side, {}, seconds=900)

    halves = {
        "there": (half(B, A, "target"), half(A, B, "source")),
        "back": (half(A, B, "target"), half(B, A, "source")),
    }
    for client in clients.values():
        client.clock = EmulatorClock(entra)
    return Pair(entra, halves, clients)


@pytest.mark.parametrize("merges", [True, False], ids=["merges", "replaces"])
@pytest.mark.parametrize("post", ["honour", "ignore", "refuse"])
@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_promise_4_one_right_after_the_other_while_reads_are_old(
    pair: Pair, order: tuple[str, ...], merges: bool, post: Any
) -> None:
    patch: Any = "merge" if merges else "replace"
    pair.entra.settings = Settings(lag_seconds=OLD, complex_patch=patch, partner_post_consent=post)
    alive: set[str] = set()
    for stack, verb in (step.split() for step in order):
        pair.run(stack, verb)
        alive = alive | {stack} if verb == "up" else alive - {stack}
        assert pair.flags() == pair.wanted(alive)


@pytest.mark.real
@pytest.mark.parametrize("ends", ["dev first", "back first"])
def test_promise_4_both_stacks_one_right_after_the_other(lab: Lab, ends: str) -> None:
    before = lab.settings()
    back = lab.reverse_stack()
    lag(lab, 3)
    lab.stack.run("up")
    back.run("up")
    both = {"inboundAllowed": True, "outboundAllowed": True}
    for policy in (lab.source_partner, lab.target_partner):
        assert policy is not None
        assert policy[CONSENT] == both
    for stack in (lab.stack, back) if ends == "dev first" else (back, lab.stack):
        stack.run("destroy")
    assert lab.settings() == before


# --- at the same time --------------------------------------------------------------------------------------------


@dataclass
class Interruption:
    """What another run does just before a call of this one."""

    client: Any
    number: int
    act: Callable[[], None]
    calls: int = 0

    def __post_init__(self) -> None:
        self.transport, self.client._transport = self.client._transport, self

    def send(self, request: Any) -> Any:
        self.calls += 1
        if self.calls == self.number:
            self.client._transport = self.transport
            self.act()
        return self.transport.send(request)

    @property
    def happened(self) -> bool:
        return self.calls >= self.number


@pytest.mark.parametrize("old", [0, OLD])
@pytest.mark.parametrize(("verb", "other"), [("up", "up"), ("up", "down"), ("down", "down")])
@pytest.mark.parametrize("stack", ["there", "back"])
def test_promise_4_at_the_same_time(
    pair: Pair, stack: str, verb: str, other: str, old: float, subtests: pytest.Subtests
) -> None:
    """A run of the other direction comes between any two calls of this one in one tenant."""
    opposite = "back" if stack == "there" else "there"
    mine, theirs = (next(h for h in pair.halves[one] if h.partner == A) for one in (stack, opposite))
    client = pair.clients[B, mine.side]
    pair.entra.settings = Settings(lag_seconds=old)
    for number in itertools.count(1):
        put(pair.entra, B, A, None, None)
        pair.entra.clock.advance(minutes=5)
        for half, does in ((mine, verb), (theirs, other)):
            half.made.clear()
            if does == "down":
                half.up()
        pair.entra.clock.advance(minutes=5)
        between = Interruption(client, number, theirs.up if other == "up" else theirs.destroy)
        mine.up() if verb == "up" else mine.destroy()
        if not between.happened:
            client._transport = between.transport
            assert number > 4
            break
        alive = {name for name, does in ((stack, verb), (opposite, other)) if does == "up"}
        with subtests.test(call=number):
            assert pair.flags()[B] == pair.wanted(alive)[B]
