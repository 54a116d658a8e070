"""Where a secret comes from: a variable, a file, or a command, by the environment's choice only.

A stack file cannot name a file or a command: whoever writes it may not be trusted with what is in the one, and must
not run the other.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .files import FileError, read_small
from .isolation import CERTIFICATE_PASSWORD, CLIENT_SECRET, drop_foreign, variable_of

FILE, COMMAND = "_FILE", "_COMMAND"
LARGEST_SECRET = 4 * 1024
COMMAND_SECONDS = 60


def secret_variable(side: str) -> str:
    """The environment variable that carries the client secret of a side."""
    return variable_of(side, CLIENT_SECRET)


def password_variable(side: str) -> str:
    """The environment variable that carries the password of a side's certificate."""
    return variable_of(side, CERTIFICATE_PASSWORD)


class SecretError(Exception):
    """A secret cannot be had: `why`, and what to `do`. The secret is in neither."""

    def __init__(self, why: str, do: str) -> None:
        super().__init__(why)
        self.why, self.do = why, do


@dataclass(frozen=True)
class SecretOrigin:
    """What the environment says of one secret.

    Attributes:
        side: the tenant it is for.
        variable: its name, such as XTSYNC_SOURCE_CLIENT_SECRET; with _FILE or _COMMAND it says where to look.
        environment: read at call time: a new value is used by the next call.
    """

    side: str
    variable: str
    environment: Mapping[str, str]

    @property
    def named(self) -> Sequence[str]:
        """The variables that are set, of the three."""
        names = (self.variable, self.variable + FILE, self.variable + COMMAND)
        return [name for name in names if self.environment.get(name)]

    @property
    def file(self) -> str:
        """The file, "" where there is none."""
        return self.environment.get(self.variable + FILE, "")

    @property
    def command(self) -> str:
        """The command, "" where there is none."""
        return self.environment.get(self.variable + COMMAND, "")

    def read(self) -> str:
        """The secret, "" where the environment has none.

        Raises:
            SecretError: it is named, but cannot be had.
        """
        if len(self.named) > 1:
            raise SecretError(f"{' and '.join(self.named)} are set together", "leave one of them")
        if self.file:
            return self._from_file()
        return self._from_command() if self.command else self.environment.get(self.variable, "")

    def _from_file(self) -> str:
        name = self.variable + FILE
        try:
            content = read_small(self.file, LARGEST_SECRET)
        except FileError as error:
            raise SecretError(f"{self.file} {error}", f"check {name}") from None
        return one_line(content, self.file, name)

    def _from_command(self) -> str:
        name = self.variable + COMMAND
        environment = dict(self.environment)
        drop_foreign(self.side, environment)
        try:
            done = subprocess.run(  # noqa: S603 - whoever supplies the credentials chose it; no shell
                shlex.split(self.command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=COMMAND_SECONDS,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SecretError(f"the command of {name} took more than {COMMAND_SECONDS} s", "run it by hand") from None
        except (OSError, ValueError) as error:
            why = f"the command of {name} cannot be run ({getattr(error, 'strerror', None) or error})"
            raise SecretError(why, f"check {name}: a program and its arguments, without a shell's signs") from None
        if done.returncode:
            why = f"the command of {name} ended with exit code {done.returncode}"
            raise SecretError(why, "run it by hand to see more")
        return one_line(done.stdout, f"the command of {name}", name)


def in_header(name: str, environment: Mapping[str, str]) -> str:
    """A secret of a variable as it is sent in a header: without the end of its line.

    Raises:
        SecretError: it is not one line that a header can have. A library that is given it would show it.
    """
    text = environment.get(name, "").rstrip("\r\n")
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise SecretError(f"{name} is not one line of plain text", f"check what sets {name}; nothing of it was sent")
    return text


def client_secret(side: str, environment: Mapping[str, str]) -> SecretOrigin:
    """Where the client secret of a side comes from."""
    return SecretOrigin(side, secret_variable(side), environment)


def certificate_password(side: str, environment: Mapping[str, str]) -> SecretOrigin:
    """Where the password of a side's certificate comes from."""
    return SecretOrigin(side, password_variable(side), environment)


def one_line(content: bytes, what: str, name: str) -> str:
    """A secret without the end of its line.

    Raises:
        SecretError: it is more or less than one line of text.
    """
    try:
        text = content[: LARGEST_SECRET + 1].decode().rstrip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or not text or len(text) > LARGEST_SECRET:
        raise SecretError(f"{what} does not give one line of text", f"check {name}")
    return text
