"""A secret from a file or a command: none is in the environment, and none in plain in the state."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lab import world
from tests.scenarios.stacks import Lab, messages
from xtsync_resources.graph.secret_origin import SecretError, SecretOrigin

NAME = "XTSYNC_TARGET_CLIENT_SECRET"
FILE, COMMAND = f"{NAME}_FILE", f"{NAME}_COMMAND"


def origin(**environment: str) -> SecretOrigin:
    return SecretOrigin("target", NAME, {"PATH": os.environ["PATH"], **environment})


def command(folder: Path, name: str, file: Path) -> str:
    """A command that gives what is in a file, as a vault would."""
    (folder / name).write_text(f"print(open({str(file)!r}).read(), end='')")
    return f"{sys.executable} '{folder / name}'"


def test_a_secret_comes_from_where_the_environment_says(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of a file \n")
    assert origin(**{NAME: "itself"}).read() == "itself"
    assert origin(**{FILE: str(tmp_path / "secret")}).read() == "of a file "
    assert origin(**{COMMAND: command(tmp_path, "c.py", tmp_path / "secret")}).read() == "of a file "
    assert origin().read() == ""


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({NAME: "a", FILE: "b"}, f"{NAME} and {FILE} are set together"),
        ({FILE: "b", COMMAND: "c"}, f"{FILE} and {COMMAND} are set together"),
        ({FILE: "/proc/self/environ"}, "/proc/self/environ is empty"),
        ({FILE: "/dev/zero"}, "/dev/zero is not a regular file"),
        ({FILE: "/etc/passwd"}, "/etc/passwd does not give one line of text"),
        ({FILE: "/nowhere/secret"}, "cannot be read (No such file or directory)"),
        ({COMMAND: "false"}, f"the command of {COMMAND} ended with exit code 1"),
        ({COMMAND: "true"}, f"the command of {COMMAND} does not give one line of text"),
        ({COMMAND: "cat /etc/passwd"}, f"the command of {COMMAND} does not give one line of text"),
        ({COMMAND: "head -c 9000 /dev/zero"}, f"the command of {COMMAND} does not give one line of text"),
        ({COMMAND: "/nowhere/vault get"}, "cannot be run (No such file or directory)"),
        ({COMMAND: "echo 'open"}, "cannot be run (No closing quotation)"),
    ],
)
def test_what_gives_no_secret_is_said_in_words(environment: dict[str, str], why: str) -> None:
    with pytest.raises(SecretError) as caught:
        origin(**environment).read()
    assert why in caught.value.why
    assert caught.value.do


def test_a_command_is_told_nothing_of_the_other_tenant(tmp_path: Path) -> None:
    """Wherever it is run: `xtsync` itself keeps the variables of both."""
    say = f"{sys.executable} -c \"import os; print(' '.join(sorted(os.environ)))\""
    others = dict.fromkeys(("XTSYNC_SOURCE_CLIENT_SECRET", "ARM_CLIENT_SECRET", "PULUMI_ACCESS_TOKEN"), "canary")
    said = origin(**{COMMAND: say, "VAULT_TOKEN": "v", **others}).read().split()
    assert {"VAULT_TOKEN", COMMAND} <= {*said}
    assert not {*others} & {*said}


def test_a_command_is_no_line_of_a_shell(tmp_path: Path) -> None:
    assert origin(**{COMMAND: f"echo a; touch {tmp_path}/b $(touch {tmp_path}/c)"}).read().startswith("a; touch")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ways", [("FILE", "COMMAND"), ("COMMAND", "FILE")])
def test_a_whole_life_without_a_secret_in_the_environment(lab: Lab, elsewhere: Path, ways: tuple[str, str]) -> None:
    before = lab.settings()
    files = {side: elsewhere / side for side in ("SOURCE", "TARGET")}
    for (side, file), way in zip(files.items(), ways, strict=True):
        del lab.stack.environment[f"XTSYNC_{side}_CLIENT_SECRET"]
        value = str(file) if way == "FILE" else command(elsewhere, f"{side}.py", file)
        lab.stack.environment[f"XTSYNC_{side}_CLIENT_SECRET_{way}"] = value

    def rotate(source: str, target: str) -> None:
        for tenant, client, side, secret in (
            (lab.source, world.SOURCE_CLIENT, "SOURCE", source),
            (lab.target, world.TARGET_CLIENT, "TARGET", target),
        ):
            files[side].write_text(f"{secret}\n")
            registered: Any = tenant.login.clients[client]
            registered.secret = secret

    rotate(world.SOURCE_SECRET, world.TARGET_SECRET)
    lab.stack.run("up")
    azuread = next(one["inputs"] for one in lab.stack.resources() if one["type"] == "pulumi:providers:azuread")
    # Which file, today's environment says; what a command gave is in the state, encrypted.
    assert ("clientSecretFilePath" in azuread) is (ways[0] == "COMMAND")
    assert "ciphertext" in azuread["clientSecret"]
    for secret in (world.SOURCE_SECRET, world.TARGET_SECRET):
        assert secret not in lab.stack.state()
        assert secret not in "".join(lab.stack.environment.values())
    rotate("another-secret", "another-one")
    if ways[0] == "COMMAND":  # azuread runs none: what the last `up` was given is in the state, encrypted
        lab.stack.run("up")
    lab.stack.run("refresh")
    assert "another-secret" not in lab.stack.state()
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_two_ways_at_once_are_refused_before_any_call(lab: Lab) -> None:
    lab.stack.environment["XTSYNC_SOURCE_CLIENT_SECRET_FILE"] = "/nowhere"
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "XTSYNC_SOURCE_CLIENT_SECRET and XTSYNC_SOURCE_CLIENT_SECRET_FILE are set together" in text
    assert list(lab.entra.traffic) == []


def test_a_command_that_fails_is_told_before_any_call(lab: Lab) -> None:
    del lab.stack.environment["XTSYNC_SOURCE_CLIENT_SECRET"]
    lab.stack.environment["XTSYNC_SOURCE_CLIENT_SECRET_COMMAND"] = "false"
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "xtsync:source.auth" in text
    assert "the command of XTSYNC_SOURCE_CLIENT_SECRET_COMMAND ended with exit code 1" in text
    assert "Traceback" not in text
    assert not lab.calls_since(0)


def test_a_stack_file_cannot_name_a_file_or_a_command() -> None:
    from xtsync_resources.config import KEYS, TENANT_KEYS

    assert not [key for key in (*KEYS, *TENANT_KEYS) if "command" in key.lower() or "secretfile" in key.lower()]
