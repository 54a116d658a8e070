"""Who would be in scope of the configured filters: the service's rules, evaluated here, without a call.

On an empty attribute IS NULL holds and nothing else does, not even NOT EQUALS. What cannot be told for certain is said
to be so: an attribute that is not known here, and a pattern that matches a part of a value (Microsoft does not say
whether it has to match the whole) or that only the service's regular expressions know.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/define-conditional-rules-for-provisioning-user-accounts
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .config.schema_keys import Clause, FilterGroup

Attributes = Mapping[str, object]
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


def evaluate(filters: Sequence[FilterGroup], user: Attributes) -> Verdict:
    """Whether one of the groups holds for a user, by the properties Graph gives; without any, everybody is in."""
    verdicts = [every(group, user) for group in filters]
    if not verdicts or any(verdict.holds for verdict in verdicts):
        return Verdict(True)
    unsure = [verdict.why for verdict in verdicts if verdict.holds is None]
    if unsure:
        return Verdict(None, "; ".join(unsure))
    return Verdict(False, "; ".join(verdict.why for verdict in verdicts))


def every(group: FilterGroup, user: Attributes) -> Verdict:
    """Whether all clauses of a group hold."""
    verdicts = [(clause, test(clause, user)) for clause in group.clauses]
    for wrong in (False, None):
        found = [clause for clause, holds in verdicts if holds is wrong]
        if found:
            return Verdict(wrong, f"{group.name}: {told(found[0], user, known=wrong is False)}")
    return Verdict(True)


def test(clause: Clause, user: Attributes) -> bool | None:
    """Whether a clause holds; None where that cannot be told."""
    if clause.attribute not in READABLE or READABLE[clause.attribute] not in user:
        return None
    value = user[READABLE[clause.attribute]]
    if value in (None, ""):
        return clause.operator == "IS NULL"
    return TESTS[clause.operator](value, str(value), clause.value or "")


def matches(text: str, pattern: str) -> bool | None:
    """Whether a text matches; None where only a part of it does."""
    try:
        if re.fullmatch(pattern, text):
            return True
        return None if re.search(pattern, text) else False
    except re.error:
        return None


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
    "REGEX MATCH": lambda _, text, other: matches(text, other),
    "NOT REGEX MATCH": lambda _, text, other: opposite(matches(text, other)),
    "Greater_Than": lambda _, text, other: compared(text, other, lambda left, right: left > right),
    "Greater_Than_OR_EQUALS": lambda _, text, other: compared(text, other, lambda left, right: left >= right),
    "Includes": lambda _, text, other: other in text,
    "ENDS_WITH": lambda _, text, other: text.endswith(other),
}


def told(clause: Clause, user: Attributes, *, known: bool) -> str:
    """A clause in words, with what it was held against."""
    asked = f"{clause.attribute} {clause.operator}{'' if clause.value is None else f' {clause.value!r}'}"
    name = READABLE.get(clause.attribute, "")
    if name not in user:
        return f"{asked}, and {clause.attribute} is not known here"
    return f"{asked}, but it is {user[name]!r}" if known else f"{asked} holds for a part of {user[name]!r} only"
