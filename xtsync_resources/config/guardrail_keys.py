"""The keys of `guardrails`: what an organisation says about its pairs, and how strict the rules are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..guardrails.pair_facts import ARROW
from ..guardrails.rules import BY_ID, LEVELS, OFF
from .keys import Items, Object, key
from .kinds import GUID, Boolean, Choice, Kind, Schema, refuse
from .problems import Problems


@dataclass(frozen=True)
class RuleLevels(Kind):
    """An object of levels, by rule id."""

    blank: Any = dataclasses.field(default_factory=dict, init=False)

    def read(self, problems: Problems, where: str, value: Any) -> dict[str, str]:
        """By rule id; an unknown one is a problem."""
        if not isinstance(value, dict):
            return dict(refuse(self, problems, where, value, f"an object such as {{{next(iter(BY_ID))}: advise}}"))
        problems.unknown_keys(value, tuple(BY_ID), f"{where}.")
        choice = Choice.of(*LEVELS)
        return {
            # To some readers of YAML a bare `off` is false.
            rule: choice.read(problems, f"{where}.{rule}", OFF if level is False else level)
            for rule, level in value.items()
            if rule in BY_ID
        }

    def schema(self) -> Schema:
        """As JSON Schema."""
        members = {rule.id: {"description": rule.title, "enum": list(LEVELS)} for rule in BY_ID.values()}
        return {"type": "object", "properties": members, "additionalProperties": False}

    def __str__(self) -> str:
        return "object of rule: " + ", ".join(f"`{level}`" for level in LEVELS)


class TenantsOrPair(Kind):
    """A tenant id, or two with an arrow between, in lower case."""

    textual = True

    def read(self, problems: Problems, where: str, value: Any) -> str:
        """In lower case, `SOURCE -> TARGET`."""
        ids = ARROW.split(value.strip().lower()) if isinstance(value, str) else []
        if len(ids) in (1, 2) and all(map(GUID.fullmatch, ids)) and len(set(ids)) == len(ids):
            return " -> ".join(ids)
        do = "Give a tenant id, or `SOURCE -> TARGET` with two different ones, not names or domains"
        problems.add(where, value, "neither a GUID nor two with an arrow between", do)
        return ""

    def schema(self) -> Schema:
        """As JSON Schema."""
        return {"type": "string", "pattern": rf"^{GUID.pattern}(\s*->\s*{GUID.pattern})?$"}

    def __str__(self) -> str:
        return "GUID or `GUID -> GUID`"


@dataclass(frozen=True)
class Guardrails:
    """What the rules are held against."""

    allowed_tenants: tuple[str, ...] | None = key(
        Items(TenantsOrPair()),
        "tenants that may be connected with each other, and pairs `SOURCE -> TARGET`, in this direction only",
        default=None,
        shown="not checked",
    )
    everyone: bool = key(Boolean(), "says a second time that everyone of the source is in scope", default=False)
    levels: Mapping[str, str] = key(
        RuleLevels(), "what a rule does where it is broken", default={}, shown="as each rule has it"
    )


GUARDRAILS = Object(Guardrails, "an object such as {allowedTenants: [GUID, GUID]}")
