"""A file is looked at before anything of it is sent: whoever names it may not be able to read it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from lab import world
from tests.patience import PATIENCE_SECONDS
from tests.scenarios.stacks import Lab, messages
from tests.security.hostile import Hostile
from tests.sign_ins import connected
from tests.unit.graph_fakes import TARGET, SettableClock
from xtsync_resources.graph.assertions import AUDIENCES, read_token
from xtsync_resources.graph.certificates import CertificateError
from xtsync_resources.graph.certificates import read as read_certificate
from xtsync_resources.graph.errors import SignInError
from xtsync_resources.graph.files import FileError

AUDIENCE = "api://AzureADTokenExchange"
CANARY = "canary-of-the-environment"
ROOT = Path(__file__).resolve().parents[2]


def token(audience: Any = AUDIENCE) -> str:
    return jwt.encode({"aud": audience, "sub": "us"}, "a-key-of-at-least-thirty-two-bytes", "HS256")


def written(content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "token").write_text(content)
        return folder / "token"

    return write


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def link_to_environment(folder: Path) -> Path:
    (folder / "link").symlink_to("/proc/self/environ")
    return folder / "link"


NO_TOKENS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "the environment": (lambda _: Path("/proc/self/environ"), "is empty"),
    "the environment behind a link": (link_to_environment, "is empty"),
    "the memory": (lambda _: Path("/proc/self/mem"), "is empty"),
    "a device": (lambda _: Path("/dev/zero"), "is not a regular file"),
    "a pipe": (pipe, "is not a regular file"),
    "a folder": (lambda folder: folder, "is a folder"),
    "nothing": (lambda folder: folder / "nothing", "cannot be read (No such file or directory)"),
    "a private key": (written("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"), "one token"),
    "a password": (written("hunter2"), "one token"),
    "accounts": (lambda _: Path("/etc/passwd"), "one token"),
    "two tokens": (written(f"{token()}\n{token()}"), "one token"),
    "a token and more": (written(f"{token()} and more"), "one token"),
    "other letters": (written(f"{token()}\N{CYRILLIC SMALL LETTER A}"), "one token"),
    "three words": (written("one.two.three"), "for nobody"),
    "for Kubernetes": (written(token("https://kubernetes.default.svc")), "for https://kubernetes.default.svc, not for"),
    "for two": (written(token([AUDIENCE, "api://other"])), f"for {AUDIENCE} and api://other"),
    "for nobody": (written(token([])), "for nobody"),
    "for a number": (written(token(7)), "for 7, not for"),
    "a large one": (written("a" * 300_000), "larger than 256 KiB"),
}


@pytest.mark.parametrize("what", NO_TOKENS)
def test_nothing_but_one_token_is_sent(
    what: str, hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, words = NO_TOKENS[what]
    for name, value in hostile.environment().items():
        monkeypatch.setenv(name, value)
    client = connected(
        TARGET,
        kind="oidc",
        client_id=world.TARGET_CLIENT,
        secret=str,
        cloud="public",
        metadata_host=hostile.host,
        token_file=str(make(tmp_path)),
        clock=SettableClock(),
    )
    with pytest.raises(SignInError) as caught:
        client.claims()
    assert words in caught.value.why
    assert not [one for one in hostile.seen if one.method == "POST"]


@pytest.mark.parametrize("audience", [*sorted(AUDIENCES), [AUDIENCE]])
def test_a_token_for_the_login_service_is_taken_behind_links_too(audience: Any, tmp_path: Path) -> None:
    """Kubernetes renews a token by turning a link to another folder."""
    folder = tmp_path / "..2026"
    folder.mkdir()
    (folder / "token").write_text(token(audience) + "\n")
    (tmp_path / "..data").symlink_to(folder)
    (tmp_path / "token").symlink_to("..data/token")
    assert read_token(str(tmp_path / "token")) == token(audience)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full", "/dev/tty", "/proc/kmsg"])
@pytest.mark.parametrize("reader", ["assertions.read_token(p)", "certificates.read(p, '', '')"])
def test_a_device_is_refused_without_being_read(path: str, reader: str) -> None:
    """In a process with little memory: one that read it would not come back."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))"
    act = f"from xtsync_resources.graph import assertions, certificates; p = {path!r}; {reader}"
    command = [sys.executable, "-c", f"{limit}; {act}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, cwd=ROOT, check=False)
    assert done.stderr.splitlines()[-1].startswith("xtsync_resources.graph."), done.stderr[-300:]


def test_a_file_that_becomes_another_while_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(token())
    open_ = os.open
    monkeypatch.setattr(os, "open", lambda path, *more: open_("/dev/zero", *more))
    with pytest.raises(FileError, match="is not a regular file"):
        read_token(str(tmp_path / "token"))


@pytest.mark.parametrize("what", ["the environment", "a device", "a pipe", "a folder", "a large one"])
def test_a_certificate_is_a_file_of_that_form(what: str, tmp_path: Path) -> None:
    make, words = NO_TOKENS[what]
    with pytest.raises(CertificateError, match=words.replace("(", r"\(")):
        read_certificate(str(make(tmp_path)), "", "X")


# --- in a whole program ------------------------------------------------------------------------------------------


def federated(file: str) -> dict[str, str]:
    return {"tenantId": world.SOURCE_TENANT, "clientId": world.SOURCE_CLIENT, "auth": "oidc", "tokenFile": file}


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_stack_file_sends_no_file_away(lab: Lab, hostile: Hostile, side: str) -> None:
    """The host is one that may be named: only the form of the file is between the two."""
    lab.stack.environment |= {**hostile.environment(lab.server.ca_file), "SOMETHING_OF_THE_RUNNER": CANARY}
    tenant = world.SOURCE_TENANT if side == "source" else world.TARGET_TENANT
    lab.stack.config |= {
        f"xtsync:{side}": {**federated("/proc/self/environ"), "tenantId": tenant},
        "xtsync:metadataHost": hostile.host,
    }
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert f'xtsync:{side}.tokenFile = "/proc/self/environ": the token file is empty' in text
    assert hostile.seen == []


def test_a_variable_of_the_runner_names_no_other_file_either(lab: Lab, hostile: Hostile, elsewhere: Path) -> None:
    (elsewhere / "file").write_text(token("https://kubernetes.default.svc"))
    lab.stack.environment |= {
        **hostile.environment(lab.server.ca_file),
        "AZURE_FEDERATED_TOKEN_FILE": str(elsewhere / "file"),
    }
    tenant = {"tenantId": world.SOURCE_TENANT, "clientId": world.SOURCE_CLIENT, "auth": "oidc"}
    lab.stack.config |= {"xtsync:source": tenant, "xtsync:metadataHost": hostile.host}
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "has a token for https://kubernetes.default.svc, not for" in text
    assert hostile.seen == []
