"""A secret of the stack file, copied to another key, and a token that a server sends back, are not shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack_files import CLIENT, side
from tests.unit.graph_fakes import TARGET_ID
from xtsync_resources import config
from xtsync_resources.config.problems import ConfigurationProblems
from xtsync_resources.graph.errors import ConfigurationError
from xtsync_resources.operate import stack

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


SECRETS = ("sourceClientSecret", "targetClientSecret")
OTHER = "0e9d6a72-4c5b-4f81-a3d7-8b26f1c5e044"
COPIED = "(xtsync|project):targetClientSecret: it is the same as sourceClientSecret, for another application"


def pair(target_client: str) -> dict[str, Any]:
    """Two sides that sign in with a client secret."""
    target = side(TARGET_ID, auth="secret", clientId=target_client)
    return {"source": side(auth="secret", clientId=CLIENT), "target": target, "users": ["alice@contoso.com"]}


def program(monkeypatch: pytest.MonkeyPatch, secrets: tuple[str, str], target_client: str) -> None:
    """The program reads them decrypted."""
    values = pair(target_client) | dict(zip(SECRETS, secrets, strict=True))
    texts = {f"project:{key}": one if isinstance(one, str) else json.dumps(one) for key, one in values.items()}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(texts))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps([f"project:{key}" for key in SECRETS]))
    config.load()


def command(folder: Path, secrets: tuple[str, str], target_client: str) -> None:
    """`xtsync` sees what they are encrypted to."""
    values = pair(target_client) | {key: {"secure": f"v1:{one}"} for key, one in zip(SECRETS, secrets, strict=True)}
    document = {"config": {f"xtsync:{key}": one for key, one in values.items()}}
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(document))
    stack.read("dev", stack.Location(folder), lambda _: None)


@pytest.mark.parametrize("reader", ["program", "xtsync"])
def test_a_secret_that_was_copied_to_the_other_side_is_refused(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(secrets: tuple[str, str], target_client: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(config, "drop_foreign", lambda *_: None)
            if reader == "program":
                program(patch, secrets, target_client)
            else:
                command(tmp_path, secrets, target_client)

    with pytest.raises(ConfigurationProblems, match=COPIED) as refused:
        read((SECRET, SECRET), OTHER)
    assert SECRET[:8] not in str(refused.value)
    read((SECRET, f"{SECRET}x"), OTHER)
    read((SECRET, SECRET), CLIENT)  # one multitenant application for both
