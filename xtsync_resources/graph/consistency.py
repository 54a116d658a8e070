"""Eventual consistency: every way in which a read may be older than a write, each a policy with its reason.

A read of Microsoft Graph is answered by a replica that may not know yet what was written a moment ago, by this program
or by others; reads were seen to be twenty seconds old. There are two kinds of policies:

- `Propagation`: an answer to a call that means "not there yet", right after our own write. The call is sent again.
- `StaleRead`: a look that proves nothing by itself. It is looked again until one look sees what matters.

"Why was this call repeated?" is answered here and in `retry.py`: no other module decides to read again. After such
reads `partner_policy/write.py` may write again, and `client.py` sends a call once more with a new token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import GraphError

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0


@dataclass(frozen=True)
class Propagation:
    """Answers that mean "not there yet" right after our own write, and for how long to believe that.

    Attributes:
        why: what is being waited for, as messages say it.
        statuses: the HTTP statuses concerned.
        texts: only answers that mention one of these, where given.
        seconds: how long; None is as long as the operation may take.
    """

    why: str
    statuses: frozenset[int]
    texts: tuple[str, ...] = ()
    seconds: float | None = None

    def covers(self, error: BaseException) -> bool:
        """Whether an error means that it is not there yet."""
        if not isinstance(error, GraphError) or error.answer.status not in self.statuses:
            return False
        return not self.texts or any(error.answer.mentions(text) for text in self.texts)


def covering(propagation: Sequence[Propagation], error: BaseException) -> Propagation | None:
    """The first policy by which an error means "not there yet", if any."""
    return next((one for one in propagation if one.covers(error)), None)


@dataclass(frozen=True)
class StaleRead:
    """How often to look again before what a read says, or does not say, is believed.

    Attributes:
        pauses: seconds before each further look.
        to_the_end: whether all looks are made although the deadline of the operation passes meanwhile. So it has to be
            where something is concluded from what no look sees: at the deadline a look is as old as the one before.
    """

    pauses: tuple[float, ...]
    to_the_end: bool = False

    @classmethod
    def for_seconds(cls, seconds: float) -> StaleRead:
        """Looks at growing distances, the last of them after so many seconds."""
        pauses: list[float] = []
        while (left := seconds - sum(pauses)) > 0:
            pauses.append(min(FIRST_PAUSE * 2 ** len(pauses), LONGEST_PAUSE, left))
        return cls(tuple(pauses))


# --- after our own write -------------------------------------------------------------------------------------------

# After our own create another replica may not know the object yet.
PARTNER_APPEARS = Propagation("waiting for the new partner policy to appear", frozenset({404}))
JOB_APPEARS = Propagation("waiting for the new job to appear", frozenset({404}), seconds=300)
# A deleted identity sync policy holds its partner policy for as long as a replica still knows it.
PARTNER_DELETABLE = Propagation(
    "waiting for the deleted identity sync policy to be gone everywhere", frozenset({400, 409}), seconds=60
)
# The template's service principal comes after its application, and is known everywhere later still: 404, then
# (to the synchronization service, and before ownership is known) 403 or 409. Those two also mean "missing
# permission", so they are believed for a minute only; not found it has been for longer than five.
SERVICE_PRINCIPAL_IS_OURS = Propagation(
    "waiting for the new service principal to be known as ours", frozenset({400, 401, 403}), seconds=60
)
_SETTLES = "waiting for the new service principal to be known to the synchronization service"
SERVICE_PRINCIPAL_SETTLES = (
    Propagation(_SETTLES, frozenset({404})),
    Propagation(_SETTLES, frozenset({401, 403, 409}), seconds=60),
    Propagation(_SETTLES, frozenset({400}), ("reference update", "reference-property objects"), seconds=60),
)
# The synchronization service sees new policies of either tenant with a delay; its other refusals are final.
POLICIES_APPEAR = Propagation(
    "waiting for the synchronization service to see the policies of both tenants",
    frozenset(range(400, 500)),
    texts=(
        "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure",
        "AzureDirectoryB2BManagementPolicyCheckFailure",
        "has not enabled automatic user consent",
        "has not enabled inbound synchronization",
        "auto-redemption of invitations not configured",
    ),
)

# --- before a read is believed -------------------------------------------------------------------------------------

# What a read does not find is forgotten by the engine and made again, so only what stays away is gone.
GONE = StaleRead((0.5, 1.0, 2.0), to_the_end=True)
# A refusal in words that nobody knows may be one of the moment.
UNCLEAR = StaleRead((0.5, 1.0, 2.0))
# A job that is as it should be already may be so in a read from before our own last write.
JOB_STATE = StaleRead((0.5, 1.0, 2.0), to_the_end=True)
# Whoever was put in or taken out a moment ago may not be seen yet, or may still be seen.
MEMBERSHIP = StaleRead.for_seconds(22)
# The same, where people are removed because of what is seen.
FOREIGN_ASSIGNMENTS = StaleRead((1.0, 2.0, 4.0), to_the_end=True)
# Before a job starts or a pair is drained everybody has to be seen in, or out: else the job deletes or keeps people.
SCOPE = StaleRead.for_seconds(60)
# An assignment that Graph says exists already, and does not list.
EXISTING_ASSIGNMENT = StaleRead.for_seconds(12)
# Of a shared object: reads were seen to be up to twenty seconds old.
SHARED_OBJECT = StaleRead.for_seconds(30)
# A job that was asked for without an answer: two jobs for one pair are not supported, and Graph does not refuse the
# second.
LOST_JOB = StaleRead.for_seconds(10)
# A start without an answer: starting a job that runs can stop it from working.
LOST_START = StaleRead.for_seconds(5)
# Where Graph itself refuses a second one, what a lost answer has made is looked for once.
LOST_ANSWER = StaleRead(())
# So many looks in a row do not see an assignment before it is gone: azuread's next call may meet another replica.
ABSENT_LOOKS = 3
