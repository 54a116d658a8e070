"""The settings of the synchronization: pure rules of reading, comparing, sending and restoring them.

The service says the same in several ways: a boolean as `true`, `"true"` or `"True"`, a number as a text, recipients as
a list. What it does not say is what it does by itself, which is not "off": it holds deletions back.

Source: https://learn.microsoft.com/graph/api/synchronization-serviceprincipal-put-synchronization
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..graph import json_reader

COMPANY, NOTIFICATION = "CompanyId", "SyncNotificationSettings"
RECIPIENTS = "Recipients"
ENABLED = "Enabled"
THRESHOLD_ON, THRESHOLD = "DeleteThresholdEnabled", "DeleteThresholdValue"
SYNC_ALL = "SyncAll"
MASK = "*"
DEFAULT_THRESHOLD = 500
# What the service does where a member of the notification settings is absent.
BY_ITSELF: Mapping[str, Any] = {
    THRESHOLD_ON: True,
    THRESHOLD: DEFAULT_THRESHOLD,
    "HumanResourcesLookaheadQueryEnabled": False,
}
# What empties a setting, where that is not an empty text.
# Source: https://github.com/microsoftgraph/msgraph-metadata/issues/347
NOTHING: Mapping[str, str] = {NOTIFICATION: "{}"}


def settings_for(target: str, notify_email: str, deletion_threshold: int) -> dict[str, Any]:
    """The four settings of the how-to; SyncAll false is "assigned users and groups only"."""
    notification: dict[str, Any] = {
        ENABLED: bool(notify_email),
        THRESHOLD_ON: deletion_threshold > 0,
        "HumanResourcesLookaheadQueryEnabled": False,
    }
    if notify_email:
        notification[RECIPIENTS] = notify_email
    if deletion_threshold > 0:
        notification[THRESHOLD] = deletion_threshold
    return {
        COMPANY: target,
        "AuthenticationType": "SyncPolicy",
        NOTIFICATION: notification,
        SYNC_ALL: "false",
    }


# --- values ------------------------------------------------------------------------------------------------


def truth(value: Any) -> bool | None:
    """True or false in any writing; None where it is neither."""
    return {"true": True, "false": False}.get(str(value).strip().lower())


def whole(value: Any) -> int | None:
    """A whole number of at least 0, also as a text; None where it is none."""
    text = "" if isinstance(value, bool) else str(value).strip()
    found = re.fullmatch(r"([0-9]{1,18})(\.0*)?", text)
    return int(found[1]) if found else None


def recipients(value: Any) -> list[str]:
    """Addresses, in a list or in a text with commas or semicolons."""
    found = value if isinstance(value, list) else re.split("[,;]", str(value or ""))
    return [str(one).strip() for one in found if str(one).strip()]


def same(name: str, wanted: Any, live: Any) -> bool:
    """Whether a setting, or a member of the notification settings, says what is wanted."""
    if name == RECIPIENTS:
        left, right = ({one.lower() for one in recipients(value)} for value in (wanted, live))
        return left == right
    if truth(wanted) is not None:
        return truth(live) is truth(wanted)
    if whole(wanted) is not None:
        return whole(live) == whole(wanted)
    return str(wanted).lower() == str(live).lower()


# --- wire form ---------------------------------------------------------------------------------------------


def to_graph(settings: Mapping[str, Any]) -> dict[str, str]:
    """To Graph: every value is a text; the notification settings are JSON in a text."""
    return {
        key: json.dumps(value, separators=(",", ":"), sort_keys=True) if isinstance(value, Mapping) else str(value)
        for key, value in settings.items()
    }


def from_graph(wanted: Mapping[str, Any], live: Mapping[str, str]) -> dict[str, Any]:
    """From Graph: our settings as they are now, in our writing where they say the same; a masked value is ours."""
    found: dict[str, Any] = {}
    for key, value in wanted.items():
        if isinstance(value, Mapping) and live.get(key) != MASK:
            members = {**BY_ITSELF, **parse_object(live.get(key, ""))}
            found[key] = {
                name: one if same(name, one, members[name]) else members[name]
                for name, one in value.items()
                if name in members
            }
            if not ours_to_enable(value) and ENABLED in value:
                found[key][ENABLED] = value[ENABLED]
        elif key in live:
            found[key] = value if live[key] == MASK or same(key, value, live[key]) else live[key]
    return found


def ours_to_enable(notification: Mapping[str, Any]) -> bool:
    """Whether notifications are ours: without an address of ours they are whoever's they were."""
    return RECIPIENTS in notification


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object in a text; empty where it is not one."""
    try:
        found: dict[str, Any] = json_reader.read(text)
    except ValueError:
        return {}
    return found


def settings_by_key(answer: Mapping[str, Any]) -> dict[str, str]:
    """From Graph: the settings by key, as texts; sensitive ones are `*`."""
    return {item["key"]: as_text(item.get("value")) for item in answer.get("value") or ()}


def as_text(value: Any) -> str:
    """A value as the text it should have come as; "" where there is none."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value)


def sync_all(settings: Mapping[str, Any]) -> bool:
    """Whether the scope is everybody in the source, by the settings."""
    return truth(settings.get(SYNC_ALL)) is True


def deletion_threshold(settings: Mapping[str, str]) -> int | None:
    """From Graph: how many deletions a cycle may make; None is any number."""
    return threshold_of(parse_object(settings.get(NOTIFICATION, "")))


def threshold_of(notification: Mapping[str, Any]) -> int | None:
    """The same, from the notification settings."""
    if truth(notification.get(THRESHOLD_ON)) is False:
        return None
    number = whole(notification.get(THRESHOLD))
    return DEFAULT_THRESHOLD if number is None else number


def addresses(settings: Mapping[str, str]) -> str:
    """From Graph: who is told of failures, as the configuration writes it; "" where nobody is."""
    notification = parse_object(settings.get(NOTIFICATION, ""))
    if truth(notification.get(ENABLED)) is False:
        return ""
    found = notification.get(RECIPIENTS)
    return found.strip() if isinstance(found, str) else ",".join(recipients(found))


# --- changing ----------------------------------------------------------------------------------------------


def others_in(live: Mapping[str, str]) -> dict[str, Any]:
    """What is there and can be sent back: not what is masked, and nothing in the place of what is empty."""
    return {key: value for key, value in live.items() if value not in ("", MASK)}


def with_others(
    wanted: Mapping[str, Any], live: Mapping[str, str], dropped: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What to send: ours, and what others have set as far as it can be read.

    Args:
        wanted: our settings.
        live: all settings there are.
        dropped: members of the notification settings that are ours no longer, with their former values; None
            is "was not there".

    Graph does not say whether keys that are left out survive a PUT, so they are sent along; masked ones
    cannot be. Members that others added to the notification settings are kept as well.
    """
    merged = others_in(live)
    for key, value in wanted.items():
        theirs = parse_object(live.get(key, ""))
        merged[key] = {**theirs, **value} if isinstance(value, Mapping) else value
        if key == NOTIFICATION and not ours_to_enable(value) and theirs.get(RECIPIENTS):
            merged[key][ENABLED] = theirs.get(ENABLED, value.get(ENABLED))
    for member, former in (dropped or {}).items():
        merged[NOTIFICATION].pop(member, None)
        if former is not None:
            merged[NOTIFICATION][member] = former
        if member == RECIPIENTS:
            merged[NOTIFICATION][ENABLED] = former is not None
    return to_graph(merged)


def adopting(before: Mapping[str, str], wanted: Mapping[str, Any]) -> list[str]:
    """Old -> new, for what adopting settings changes of those that are there."""
    lines = []
    sent = with_others(wanted, before)
    for key, value in sent.items():
        old, new = parse_object(before.get(key, "")), parse_object(value)
        if key == NOTIFICATION and old:
            lines += [
                f"{name}: {json.dumps(old.get(name))} -> {json.dumps(new[name])}"
                for name in sorted(new)
                if not same(name, new[name], old.get(name))
            ]
        elif before.get(key) not in (None, MASK) and not same(key, value, before[key]):
            lines.append(f"{key}: {json.dumps(before[key])} -> {json.dumps(value)}")
    return lines


def protection_weakens(before: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    """Whether settings of ours let a cycle delete more people than before."""
    return raises_threshold(before, with_others(wanted, before))


def raises_threshold(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether a cycle may delete more people after than before."""
    old, new = deletion_threshold(before), deletion_threshold(after)
    return old is not None and (new is None or new > old)


def restored(ours: Mapping[str, Any], before: Mapping[str, str], live: Mapping[str, str]) -> dict[str, str]:
    """What to send at the end: former values of ours, nothing for those that were not there, others' as they are."""
    former = {key: before.get(key) or NOTHING.get(key, "") for key in ours}
    return {key: value for key, value in {**others_in(live), **former}.items() if value != MASK}


def with_threshold_of(live: Mapping[str, str], body: Mapping[str, str]) -> dict[str, str]:
    """What to send, with the deletion threshold of now."""
    number = deletion_threshold(live)
    threshold = {THRESHOLD_ON: number is not None, **({} if number is None else {THRESHOLD: number})}
    return {**body, **to_graph({NOTIFICATION: {**parse_object(body.get(NOTIFICATION, "")), **threshold}})}
