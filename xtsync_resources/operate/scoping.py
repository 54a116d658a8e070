"""Who would be in scope of the configured filters: the service's rules, evaluated here, without a call.

On an empty attribute IS NULL holds and nothing else does, not even NOT EQUALS. What cannot be told for certain is said
to be so: an attribute that is not known here, and a pattern that matches a part of a value (Microsoft does not say
whether it has to match the whole) or that only the service's regular expressions know, or that comes to no end.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/define-conditional-rules-for-provisioning-user-accounts
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..config.schema_keys import Clause, FilterGroup
from ..sync_schema.matching import tried
from .checks.in_words import value_in_words

Attributes = Mapping[str, object]
# What is known of patterns, by pattern and text.
Matched = Mapping[tuple[str, str], bool | None]
# What the synchronization calls an attribute -> what a user of Graph calls it; of others nothing is known here.
READABLE: Mapping[str, str] = {
    **{
        name: name
        for name in (
            "accountEnabled",
            "city",
            "companyName",
            "country",
            "department",
            "displayName",
            "employeeId",
            "employeeType",
            "givenName",
            "jobTitle",
            "mail",
            "mailNickname",
            "postalCode",
            "preferredLanguage",
            "state",
            "streetAddress",
            "surname",
            "usageLocation",
            "userPrincipalName",
        )
    },
    "mobile": "mobilePhone",
    "objectId": "id",
    "physicalDeliveryOfficeName": "officeLocation",
}


@dataclass(frozen=True)
class Verdict:
    """Whether somebody is in scope, and by what.

    Attributes:
        holds: None where it cannot be told.
        why: what keeps them out, or what is not known; "" for those in scope.
    """

    holds: bool | None
    why: str = ""


def attributes_needed(filters: Sequence[FilterGroup]) -> list[str]:
    """The properties of Graph's users that the filters look at and that can be read."""
    named = (clause.attribute for group in filters for clause in group.clauses)
    return sorted({READABLE[name] for name in named if name in READABLE})


def evaluate(filters: Sequence[FilterGroup], users: Sequence[Attributes]) -> list[Verdict]:
    """Whether one of the groups holds for each user, by the properties Graph gives; without any, everybody is in."""
    matched = match_all(filters, users)
    return [evaluate_one(filters, user, matched) for user in users]


def match_all(filters: Sequence[FilterGroup], users: Sequence[Attributes]) -> Matched:
    """What the patterns of the filters match among the users, each pattern looked at once for all of them."""
    wanted: dict[str, set[str]] = {}
    for clause in (one for group in filters for one in group.clauses if one.operator in PATTERNS):
        texts = {str(user[name]) for user in users if (name := READABLE.get(clause.attribute, "")) in user}
        wanted.setdefault(clause.value or "", set()).update(texts)
    texts_of = {pattern: [*texts] for pattern, texts in wanted.items()}
    return {
        (pattern, text): holds
        for pattern, found in tried(texts_of).items()
        for text, holds in zip(texts_of[pattern], found.holds, strict=True)
    }


def evaluate_one(filters: Sequence[FilterGroup], user: Attributes, matched: Matched) -> Verdict:
    """The same for one user."""
    verdicts = [every(group, user, matched) for group in filters]
    if not verdicts or any(verdict.holds for verdict in verdicts):
        return Verdict(True)
    unsure = [verdict.why for verdict in verdicts if verdict.holds is None]
    if unsure:
        return Verdict(None, "; ".join(unsure))
    return Verdict(False, "; ".join(verdict.why for verdict in verdicts))


def every(group: FilterGroup, user: Attributes, matched: Matched) -> Verdict:
    """Whether all clauses of a group hold."""
    verdicts = [(clause, test(clause, user, matched)) for clause in group.clauses]
    for wrong in (False, None):
        found = [clause for clause, holds in verdicts if holds is wrong]
        if found:
            return Verdict(wrong, f"{group.name}: {told(found[0], user, known=wrong is False)}")
    return Verdict(True)


def test(clause: Clause, user: Attributes, matched: Matched) -> bool | None:
    """Whether a clause holds; None where that cannot be told."""
    if clause.attribute not in READABLE or READABLE[clause.attribute] not in user:
        return None
    value = user[READABLE[clause.attribute]]
    if value in (None, ""):
        return clause.operator == "IS NULL"
    if clause.operator in PATTERNS:
        return PATTERNS[clause.operator](matched[clause.value or "", str(value)])
    return TESTS[clause.operator](value, str(value), clause.value or "")


def opposite(holds: bool | None) -> bool | None:
    """Not, of three values."""
    return None if holds is None else not holds


def compared(text: str, other: str, holds: Callable[[float, float], bool]) -> bool | None:
    """A comparison of numbers; None where one is none."""
    try:
        return holds(float(text), float(other))
    except ValueError:
        return None


TESTS: Mapping[str, Callable[[object, str, str], bool | None]] = {
    "EQUALS": lambda _, text, other: text == other,
    "NOT EQUALS": lambda _, text, other: text != other,
    "IS TRUE": lambda value, _, __: value is True,
    "IS FALSE": lambda value, _, __: value is False,
    "IS NULL": lambda _, __, ___: False,
    "IS NOT NULL": lambda _, __, ___: True,
    "Greater_Than": lambda _, text, other: compared(text, other, lambda left, right: left > right),
    "Greater_Than_OR_EQUALS": lambda _, text, other: compared(text, other, lambda left, right: left >= right),
    "Includes": lambda _, text, other: other in text,
    "ENDS_WITH": lambda _, text, other: text.endswith(other),
}
# What each makes of whether a text matches.
PATTERNS: Mapping[str, Callable[[bool | None], bool | None]] = {
    "REGEX MATCH": lambda holds: holds,
    "NOT REGEX MATCH": opposite,
}


def of_user(value: Any) -> str:
    """What a person has, in words: a text in quotes."""
    return f'"{value}"' if isinstance(value, str) else value_in_words(value)


def told(clause: Clause, user: Attributes, *, known: bool) -> str:
    """A clause in words, with what it was held against."""
    asked = f"{clause.attribute} {clause.operator}" + ("" if clause.value is None else f' "{clause.value}"')
    name = READABLE.get(clause.attribute, "")
    if name not in user:
        return f"{asked}, and {clause.attribute} is not known here"
    if known:
        return f"{asked}, but it is {of_user(user[name])}"
    return f"{asked} holds for a part of {of_user(user[name])} only, or takes too long to find out"
