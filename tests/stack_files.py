"""Stack files of tests: the least that is taken, and changes of it."""

from __future__ import annotations

import json
from typing import Any

from lab import world
from tests.unit.graph_fakes import SOURCE_ID, TARGET_ID
from xtsync_resources.config import Settings, parse

CLIENT = "33333333-3333-4333-8333-333333333333"


GOOD: dict[str, Any] = {"source": {"tenantId": SOURCE_ID}, "target": {"tenantId": TARGET_ID}, "users": ["a@b.c"]}


def parsed(environment: dict[str, str] | None = None, **changes: Any) -> Settings:
    raw = {k: v if isinstance(v, str) else json.dumps(v) for k, v in (GOOD | changes).items() if v is not None}
    return parse(raw, {}, environment or {})


def side(tenant: str = SOURCE_ID, **more: Any) -> dict[str, Any]:
    return {"tenantId": tenant, **more}


def scoped(**clause: Any) -> dict[str, Any]:
    return {"scopingFilters": [{"name": "x", "clauses": [clause]}]}


GIVEN: dict[str, Any] = {
    "xtsync:source": {"tenantId": world.SOURCE_TENANT, "auth": "cli"},
    "xtsync:target": {"tenantId": world.TARGET_TENANT, "auth": "cli"},
    "xtsync:users": ["alice@contoso.com"],
}
