"""Why a job is in quarantine: what each reason means, what to do, and what may be done to the job meanwhile.

`status`, `doctor`, `refresh`, `up` and the refusals of `pause`, `resume` and `restart` all speak from this table.

Sources: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationquarantine and
https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status
"""

from __future__ import annotations

from dataclasses import dataclass

HELD_DELETIONS = "TooManyDeletes"
LOOK_FOR_CAUSES = "look for causes with `xtsync doctor`"
CAUSES_HERE = "look at what else is found here, which may be the cause"
SEE_FAILURES = "see with `xtsync logs --failures --details` what failed and why"


def sentence(words: str) -> str:
    """Words as they begin a sentence."""
    return words[0].upper() + words[1:]


@dataclass(frozen=True)
class Reason:
    """A reason that Graph gives.

    Attributes:
        name: in the words of Graph.
        meaning: in the words of people.
        first: what to do before the job runs again.
        then: the command that ends the quarantine of a job that is active; "" where none of ours may.
        starts: whether starting the job lets nothing loose, so that `up`, `resume` and `restart` may.
    """

    name: str
    meaning: str
    first: str
    then: str
    starts: bool


def of_failures(name: str) -> Reason:
    """One of the reasons that mean too many single failures."""
    meaning = "too many people could not be synchronized"
    return Reason(name, meaning, f"{sentence(SEE_FAILURES)}, and mend that", "xtsync restart", starts=True)


UNKNOWN = Reason(
    "Unknown",
    "Microsoft does not say why, and what starting the job would let loose is not known",
    f"{sentence(SEE_FAILURES)}. No command here ends it: look at the job in the portal, and restart provisioning there",
    "",
    starts=False,
)
# Starting the job again is the documented way out of these; of others nobody knows what starting would let loose.
REASONS = (
    Reason(
        HELD_DELETIONS,
        "more people would be deleted in the target than xtsync:deletionThreshold allows",
        "If those deletions are a mistake, put those people back in scope, and the next run ends the quarantine; where "
        "fewer than the threshold stay out, it deletes those without asking. If they are right, `xtsync "
        "approve-deletions` shows who they are and lets them go",
        "",
        starts=False,
    ),
    Reason(
        "EncounteredQuarantineException",
        "the target could not be reached, or refused",
        f"{sentence(LOOK_FOR_CAUSES)}, and mend what it finds",
        "xtsync resume",
        starts=True,
    ),
    of_failures("EncounteredBaseEscrowThreshold"),
    of_failures("EncounteredTotalEscrowThreshold"),
    of_failures("EncounteredEscrowProportionThreshold"),
    Reason(
        "IngestionInterrupted",
        "reading the source was interrupted",
        "Wait for the next attempt, which the job makes by itself",
        "xtsync resume",
        starts=True,
    ),
    Reason(
        "QuarantinedOnDemand",
        "somebody has put it there on purpose, or Microsoft has",
        f"Find out who and why ({SEE_FAILURES}). No command here ends it: restart provisioning in the portal",
        "",
        starts=False,
    ),
    UNKNOWN,
)
BY_NAME = {one.name.lower(): one for one in REASONS}
BY_HAND = (
    "Put back in scope whoever is to stay (`pulumi up`), then start provisioning in the portal. `xtsync logs --since "
    "30d` shows what it did last. It does not run, and starting it ends the quarantine, so no command here does that"
)


def reason_of(name: str) -> Reason:
    """What a reason means; one that is not documented is as good as unknown."""
    return BY_NAME.get(name.lower(), UNKNOWN)


def explained(name: str, *, active: bool, ended: bool = False) -> str:
    """What a reason means and what to do about it.

    Args:
        name: the reason that Graph gives.
        active: whether the job's schedule is: one that was paused, or disabled after four weeks, is started first.
        ended: whether it is over, so that only its cause is to be mended.
    """
    reason = reason_of(name)
    if not active and not reason.starts:
        return f"{reason.meaning}. {BY_HAND}"
    if ended or not reason.starts:
        return f"{reason.meaning}. {reason.first}"
    # Restarting is refused for a job that does not run; starting it ends the quarantine as well.
    command = reason.then if active else "xtsync resume"
    return (
        f"{reason.meaning}. {reason.first}. Then run `{command}`, which ends the quarantine, as `pulumi up --refresh "
        "--diff` does"
    )


def said_by_doctor(advice: str) -> str:
    """Advice as it is told beside the findings of `xtsync doctor`: nobody is sent to where he is."""
    here = advice.replace("`xtsync doctor` tells whom", "what else is found here tells whom")
    here = here.replace(sentence(LOOK_FOR_CAUSES), sentence(CAUSES_HERE))
    return here.replace(LOOK_FOR_CAUSES, CAUSES_HERE).replace("mend what it finds", "mend it")
