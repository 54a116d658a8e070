"""What the reads of `xtsync verify` show of questions that no page of Microsoft answers; pure.

What comes out of an answer is its HTTP status, a code that looks like one, kinds, counts, and names that are documented
or look like it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...graph.shape_walk import kind
from ...sync_job.model import jobs_of_template
from ...sync_schema.model import KNOWN_OPERATORS, plain_operator
from ...sync_secrets.model import MASK, NOTIFICATION, as_text, parse_object, settings_for
from .known import SETTING_KEYS, is_identifier
from .record import MOST_NAMES, UNSHOWN, Fact, Read, unknown_members

PARTNER, IDENTITY_SYNC, SECRETS, JOBS = "partner policy", "identity sync policy", "secrets", "jobs"
SCHEMA, TEMPLATE_SCHEMA, OPERATORS = "schema", "template schema", "filter operators"
OURS = tuple(settings_for("", "", 0))
Seen = Sequence[Mapping[str, Any]]
# What such an answer says of the sign-in, or of the service at that moment, and not of what is read.
NOT_ABOUT_IT = (401, 403, 408, 429)


@dataclass(frozen=True)
class Heard:
    """A read, and the answer itself where it is as its shape wants it; None otherwise."""

    read: Read
    answer: Mapping[str, Any] | None = None


def facts(heard: Sequence[Heard]) -> list[Fact]:
    """What was seen of each open question."""
    return [
        Fact("partnerPolicyUnset", "what a read of a partner policy that is unset is answered", unset(heard, PARTNER)),
        Fact(
            "identitySyncPolicyUnset",
            "what a read of an identity sync policy that is unset is answered",
            unset(heard, IDENTITY_SYNC),
        ),
        Fact("settingsMasked", "which settings are masked when they are read", masked(of(heard, SECRETS))),
        Fact("settingsAdded", "whether the service adds or drops settings", added(of(heard, SECRETS))),
        Fact("notificationMembers", f"what {NOTIFICATION} is made of", notification(of(heard, SECRETS))),
        Fact("schemaDirectories", "whether a schema has its directories without being asked", directories(heard)),
        Fact("filterOperators", "how the operators of scoping filters are spelled", operators(of(heard, OPERATORS))),
        Fact("jobsOfServicePrincipal", "how many jobs the service principal has", jobs(of(heard, JOBS))),
        Fact(
            "membersThatAppear",
            "which members nobody has described",
            [
                {"side": side, "read": name, "members": paths}
                for (side, name), paths in unknown_members(one.read for one in heard).items()
            ],
        ),
    ]


def of(heard: Sequence[Heard], name: str) -> Mapping[str, Any] | None:
    """The answer to a read of the source; None where there is none that can be used."""
    return next((one.answer for one in heard if (one.read.side, one.read.name) == ("source", name)), None)


def unset(heard: Sequence[Heard], name: str) -> Seen:
    """How Graph says that a policy is not there: by any error that is about it."""
    there = {one.read.side for one in heard if one.read.name == PARTNER and one.answer is not None}
    return [
        {"side": one.side, "partnerPolicy": one.side in there, "status": one.status, "errorCode": one.error_code}
        for one in (each.read for each in heard)
        if one.name == name and is_error(one.status)
    ]


def is_error(status: int | None) -> bool:
    """Whether it is an error answer that is about what was read."""
    return status is not None and 400 <= status < 500 and status not in NOT_ABOUT_IT


def masked(secrets: Mapping[str, Any] | None) -> Seen:
    """How the value of each setting comes back."""
    found = entries(secrets)[:MOST_NAMES]
    return [{"key": shown_key(one.get("key")), "value": writing(one.get("value"))} for one in found]


def writing(value: Any) -> str:
    """How a value is written, without saying it."""
    if not isinstance(value, str):
        return kind(value)
    return "an empty text" if not value else "masked" if not value.strip(MASK) else "in clear"


def shown_key(key: Any) -> str:
    """The key of a setting, where it is a documented one."""
    return key if isinstance(key, str) and key in SETTING_KEYS else UNSHOWN


def added(secrets: Mapping[str, Any] | None) -> Seen:
    """Which settings are there beside those that the program writes, and which of those are not."""
    if secrets is None:
        return []
    keys = [str(one.get("key")) for one in entries(secrets)]
    counted = Counter(shown_key(key) for key in keys if key not in OURS)
    return [{"added": dict(counted), "dropped": [key for key in OURS if key not in keys]}]


def notification(secrets: Mapping[str, Any] | None) -> Seen:
    """The members of the notification settings, which are JSON in a text."""
    found = next((one.get("value") for one in entries(secrets) if one.get("key") == NOTIFICATION), None)
    members = parse_object(as_text(found))
    shown = [(name if is_identifier(name) else UNSHOWN, kind(value)) for name, value in members.items()]
    return [{"member": name, "kind": what} for name, what in shown[:MOST_NAMES]]


def directories(heard: Sequence[Heard]) -> Seen:
    """Whether the directories of each schema are in it."""
    return [
        {"read": one.read.name, "directories": inline(one.answer)}
        for one in heard
        if one.read.name in (SCHEMA, TEMPLATE_SCHEMA) and one.answer is not None
    ]


def inline(schema: Mapping[str, Any]) -> str:
    """What a schema has in the place of its directories."""
    return kind(schema["directories"]) if "directories" in schema else "left out"


def operators(answer: Mapping[str, Any] | None) -> Seen:
    """The operators that the configuration can name: those spelled alike, otherwise, and not listed."""
    if answer is None:
        return []
    listed = {plain_operator(one.get("name")): one.get("name") for one in entries(answer)}
    return [
        {
            "listed": len(entries(answer)),
            "spelledAlike": [name for plain, name in KNOWN_OPERATORS.items() if listed.get(plain) == name],
            "spelledOtherwise": [n for plain, n in KNOWN_OPERATORS.items() if plain in listed and listed[plain] != n],
            "notListed": [name for plain, name in KNOWN_OPERATORS.items() if plain not in listed],
        }
    ]


def jobs(answer: Mapping[str, Any] | None) -> Seen:
    """How many there are."""
    return [] if answer is None else [{"jobs": len(entries(answer)), "ofOurTemplate": len(jobs_of_template(answer))}]


def entries(answer: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The entries of a collection."""
    return list((answer or {}).get("value") or ())
