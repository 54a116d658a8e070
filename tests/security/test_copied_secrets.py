"""A secret of the stack file, copied to another key, and a token that a server sends back, are not shown."""

from __future__ import annotations

import json

import pytest

from xtsync_resources import config
from xtsync_resources.config.problems import ConfigurationProblems
from xtsync_resources.graph.errors import ConfigurationError

SECRET = "abC8Q~Zyxwvutsrqponmlkjihgfedcba0123.456"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("displayName", SECRET),
        ("inboundTrust", json.dumps(["x" * 55, SECRET])),
        ("guardrails", json.dumps({"levels": SECRET})),
        ("unheardOf", SECRET),
    ],
)
def test_an_encrypted_value_under_another_key_is_refused_unseen(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    """Pulumi masks a secret only where it stands whole: cut at its end it would be read in the log."""
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({f"project:{key}": value}))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps([f"project:{key}", "project:sourceClientSecret"]))
    with pytest.raises(ConfigurationProblems) as refused:
        config.load()
    text = str(refused.value)
    assert f"{key}: it is encrypted" in text
    assert "sourceClientSecret: it" not in text
    assert SECRET[:8] not in text


def test_json_of_any_depth_is_a_problem_and_no_traceback() -> None:
    with pytest.raises(ConfigurationProblems, match="inboundTrust"):
        config.parse({"inboundTrust": "[" * 100_000}, {}, {})


def test_a_token_that_a_server_sends_back_is_not_shown() -> None:
    error = ConfigurationError("It failed", "bad header Bearer eyJhbGciOi.eyJ0aWQiOiJ4.c2ln", "look")
    assert "eyJ" not in str(error)
    assert "bad header Bearer [a token]" in str(error)
