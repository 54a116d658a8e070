"""What headers of an answer say of time."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from seconds or an HTTP date; None where there is nothing usable."""
    if not value:
        return None
    try:
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    when = parse_date(value)
    return None if when is None else max(0.0, (when - now).total_seconds())


def parse_date(value: str | None) -> datetime | None:
    """The time in a header such as `Date`; None where it is none, or one that no calendar has."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        when = parsedate_to_datetime(value or "")
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    return None
