"""Records: what a tenant had before, kept as JSON text in the state to be put back exactly.

What a record quotes was named by others. The engine shows it decoded, and what may not be shown may not be changed
either, as it goes back to where it came from: such a record is kept encoded as a whole.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from .untrusted import is_plain

ENCODED = "base64"


def text(record: Any) -> str:
    """As kept in the state: JSON text, because Pulumi drops nulls and null is a value here."""
    written = json.dumps(record, sort_keys=True)
    if is_plain(written):
        return written
    return json.dumps({ENCODED: base64.b64encode(written.encode()).decode()})


def parse(written: str) -> Any:
    """Read back what `text` wrote."""
    found = json.loads(written)
    if isinstance(found, dict) and set(found) == {ENCODED}:
        return json.loads(base64.b64decode(found[ENCODED]))
    return found
