"""The stack a command works on: its configuration, its outputs, and clients for both tenants."""

from __future__ import annotations

import functools
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import namespace
from ..config import KEYS, SECRET_KEYS, SIDES, Settings, Tenant, check_namespaces, parse
from ..graph import json_reader
from ..graph.client import GraphClient
from ..graph.connect import connect
from ..graph.errors import LONGER, ConfigurationError
from ..graph.json_reader import NO_IDS
from ..graph.operation import Operation
from ..graph.secret_origin import client_secret
from ..graph.sign_in import Secrets
from ..redaction import know
from .project_file import PROJECT_FILES, enter_project, project_defaults, qualified, without_namespace
from .yaml_files import read_yaml

PULUMI_SECONDS = 60
# What Pulumi keeps in the place of a value that a run which stopped early did not come to know: one for each kind of
# value. Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
UNKNOWN = (
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
)
# Another command that stands for `pulumi`, as in `esc run ENVIRONMENT -- pulumi`.
PULUMI_COMMAND = "XTSYNC_PULUMI"
# What works with the state itself, which no file with outputs stands for.
WHOLE_STATE = ("export", "import")
# How the CLI says so. Source: https://github.com/pulumi/pulumi/blob/master/pkg/backend/backenderr/backenderr.go
NO_SUCH_STACK = "no stack named"
NO_CHECKPOINT = "failed to load checkpoint"
CUT_OFF = "see docs/runbooks.md, `failed to load checkpoint`, where the state is in a folder; else check its backend"


class NoSuchStackError(ConfigurationError):
    """Pulumi knows no such stack, as before its first `up`."""


@dataclass(frozen=True)
class Location:
    """Where a stack's files are; None is the usual place."""

    folder: Path = field(default_factory=Path)
    config_file: Path | None = None
    outputs_file: Path | None = None

    def file_of(self, stack: str) -> Path:
        """A stack's file."""
        return self.config_file or self.folder / f"Pulumi.{stack}.yaml"


@dataclass(frozen=True)
class Stack:
    """A stack, read once.

    Attributes:
        name: its name, which is that of its file.
        settings: its configuration.
        status: shows a word about what is being waited for.
        reference: what Pulumi calls it, where that may be more than the name: ORGANIZATION/PROJECT/STACK.
    """

    name: str
    settings: Settings
    location: Location = field(default_factory=Location)
    status: Callable[[str], None] = field(default=lambda _: None, compare=False)
    reference: str = ""
    _clients: dict[str, GraphClient] = field(default_factory=dict, compare=False)

    @functools.cached_property
    def outputs(self) -> Mapping[str, Any]:
        """What the program exported at the last `pulumi up`.

        Raises:
            ConfigurationError: they cannot be had.
        """
        return read_outputs(self.called, self.location)

    @property
    def called(self) -> str:
        """What Pulumi calls it, and every command for it that is shown: another organization may have its name, too."""
        return self.reference or self.name

    def output(self, key: str) -> str:
        """One of the outputs, an id.

        Raises:
            ConfigurationError: the stack has none of this name, as before its first `pulumi up`.
        """
        value = self.outputs.get(key)
        if not value or value in NO_IDS:
            why = "the last run did not come so far" if self.outputs else "it was not made yet, or it was ended"
            do = f"run `pulumi up --stack {shlex.quote(self.called)}`, if there is to be one"
            raise ConfigurationError(f"The stack {self.name} has no pair (no output {key})", why, do)
        return str(value)

    @property
    def service_principal(self) -> str:
        """The object id of the configuration's service principal."""
        return self.output("servicePrincipalId")

    @property
    def job(self) -> str:
        """The id of the job."""
        return self.output("jobId")

    def client(self, side: str) -> GraphClient:
        """A client for the source or the target; signs in with its first call."""
        if side not in self._clients:
            tenant: Tenant = getattr(self.settings, side)
            sign_in = self.settings.sign_in(tenant).seen_from_here(self.location.folder)
            self._clients[side] = connect(
                sign_in,
                Secrets.of(side, self._secret(tenant)),
                status=self.status,
                about=lambda: {"run": f"xtsync, process {os.getpid()}", "stack": self.name},
            )
        return self._clients[side]

    def operation(self, side: str, seconds: float | None = None, longer: str = LONGER) -> Operation:
        """Begin an operation in a tenant, bounded by xtsync:deadlineMinutes if not said otherwise.

        Args:
            side: the source or the target.
            seconds: how long it may take.
            longer: how to allow more, as messages say it.
        """
        return self.client(side).operation(seconds or 60 * self.settings.deadline_minutes, self.status, longer)

    def _secret(self, tenant: Tenant) -> str:
        if self.settings.client_secret(tenant.side) is None or client_secret(tenant.side, os.environ).named:
            return ""
        key = namespace.full(f"{tenant.side}ClientSecret")
        arguments = ["config", "get", key, "--stack", self.called]
        if self.location.config_file is not None:
            # Absolute, as Pulumi runs in the program's folder; the file also holds what its secrets are opened with.
            arguments += ["--config-file", str(self.location.config_file.absolute())]
        return know(pulumi(arguments, self.location.folder).strip())


def read(name: str | None, location: Location, status: Callable[[str], None], *, before_sign_in: bool = False) -> Stack:
    """Read a stack's configuration: its own file, and the project's for what that leaves out.

    Args:
        name: the stack; None is the one selected in Pulumi.
        location: where its files are.
        status: shows words to people who wait.
        before_sign_in: whether the applications to sign in with may still be missing.

    Raises:
        ConfigurationError: there is no such stack file, the project's cannot be read, or Pulumi cannot say which
            stack is selected.
        ConfigurationProblems: its configuration is wrong.
    """
    reference = name or selected(location.folder)
    name = short(reference)
    project = enter_project(location.folder)
    values = {**project_defaults(project), **values_of(location, name)}
    encrypted = [key for key, value in values.items() if is_encrypted(value)]
    files = (location.file_of(name), *(location.folder / one for one in PROJECT_FILES))
    found, problems = check_namespaces(values, encrypted, namespace.current(), KEYS, SECRET_KEYS, files)
    own = {one.name: values[one.key] for one in found} | dict(without_namespace(values))
    secrets = {side: own.get(f"{side}ClientSecret") for side in SIDES}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in own.items()}
    in_plain = [f"{side}ClientSecret" for side, secret in secrets.items() if isinstance(secret, str)]
    copied = secrets["source"] is not None and secrets["source"] == secrets["target"]
    settings = parse(
        texts,
        secrets,
        os.environ,
        in_plain=in_plain,
        copied=copied,
        before_sign_in=before_sign_in,
        found=problems,
    )
    return Stack(name, settings, location, status, reference)


def selected(folder: Path) -> str:
    """The stack that is selected in Pulumi, by its whole name: it may be that of another organization than the usual.

    Raises:
        ConfigurationError: Pulumi cannot say.
    """
    try:
        found = pulumi(["stack", "--show-name", "--fully-qualify-stack-names"], folder).strip()
    except ConfigurationError as error:
        raise type(error)(error.what, error.why, f"name the stack with --stack, or {error.do}") from None
    # A backend without organizations calls each of its projects' so.
    return short(found) if found.startswith("organization/") else found


def short(name: str) -> str:
    """A stack's own name; Pulumi also says ORGANIZATION/PROJECT/STACK."""
    return name.rsplit("/", 1)[-1]


def own_values(location: Location, name: str) -> dict[str, Any]:
    """Our keys in a stack's file, without the namespace.

    Raises:
        ConfigurationError: it cannot be read, or says a key twice.
    """
    enter_project(location.folder)
    return without_namespace(values_of(location, name))


def values_of(location: Location, name: str) -> dict[str, Any]:
    """Everything in a stack's file, by full key.

    Raises:
        ConfigurationError: it cannot be read, or says a key twice.
    """
    path = location.file_of(name)
    return qualified(read_values(path), path)


def is_encrypted(value: Any) -> bool:
    """Whether a value of a stack file, or a part of it, is what Pulumi decrypts."""
    itself = isinstance(value, dict) and [*value] == ["secure"]
    return itself or any(map(is_encrypted, json_reader.parts_of(value)))


def provisional(
    sides: Mapping[str, tuple[str, str, str]],
    auth: str,
    cloud: str,
    metadata_host: str,
    status: Callable[[str], None],
    more: Sequence[str] = (),
) -> Stack:
    """A stack that is not written yet, to look at its tenants.

    Args:
        sides: tenant id, name and client id by side.
        auth: how to sign in to both.
        cloud: the cloud both are in.
        metadata_host: as the configuration key of this name.
        status: shows words to people who wait.
        more: further keys of a side, as source.certificatePath=FILE.

    Raises:
        ConfigurationError: a further key is of another form.
        ConfigurationProblems: something of it cannot be used.
    """
    further = of_sides(more)
    values: dict[str, Any] = {
        side: {"tenantId": id_, "name": name, "auth": auth, **({"clientId": client} if client else {}), **further[side]}
        for side, (id_, name, client) in sides.items()
    }
    values |= {"cloud": cloud, "metadataHost": metadata_host, "users": ["not.read@yet"]}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return Stack("", parse(texts, {}, os.environ), Location(), status)


def of_sides(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """Keys of the source and the target, typed as source.certificatePath=FILE.

    Raises:
        ConfigurationError: one is of another form.
    """
    found: dict[str, dict[str, str]] = {side: {} for side in SIDES}
    for text in texts:
        name, is_value, value = text.partition("=")
        side, _, key = name.partition(".")
        if side not in found or not key or not is_value:
            do = "give SIDE.KEY=VALUE, as in source.certificatePath=source.pfx or target.auth=oidc"
            raise ConfigurationError(f"Cannot understand --set {text}", "it has another form", do)
        found[side][key] = value
    return found


def read_values(path: Path) -> Mapping[str, Any]:
    """The configuration in a stack file, by the keys as they are there.

    Raises:
        ConfigurationError: it cannot be read.
    """
    do = "name the stack with --stack, and run in the program's folder or give it with --cwd"
    found = read_yaml(path, "stack file", do).get("config")
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def read_outputs(name: str, location: Location) -> Mapping[str, Any]:
    """A stack's outputs, from a file or from Pulumi.

    Raises:
        ConfigurationError: they cannot be had.
    """
    if location.outputs_file is None:
        text = pulumi(["stack", "output", "--json", "--stack", name], location.folder)
    else:
        try:
            text = location.outputs_file.read_text(encoding="utf-8")
        except OSError as error:
            what = f"Cannot read the outputs in {location.outputs_file}"
            raise ConfigurationError(what, error.strerror or str(error), "check --outputs") from None
        except UnicodeDecodeError:
            what = f"Cannot read the outputs in {location.outputs_file}"
            raise ConfigurationError(what, "it is not UTF-8", "check --outputs") from None
    try:
        found: Mapping[str, Any] = json_reader.read(text)
    except ValueError:
        why = "they are not a JSON object"
        raise ConfigurationError(f"Cannot read the outputs of the stack {name}", why, "check --outputs") from None
    outputs: Mapping[str, Any] = known(found)
    return outputs


def known(value: Any) -> Any:
    """A value without what is not known, at any depth."""
    if isinstance(value, Mapping):
        return {key: known(item) for key, item in value.items() if item not in UNKNOWN}
    if isinstance(value, list):
        return [known(item) for item in value if item not in UNKNOWN]
    return value


def pulumi(arguments: list[str], folder: Path) -> str:
    """What the Pulumi CLI prints for a command.

    Raises:
        NoSuchStackError: it knows no stack of this name.
        ConfigurationError: it is not there, or it failed. Neither what it has printed, which may be a secret, nor the
            variable that names it, which may hold one, is shown.
    """
    named = os.environ.get(PULUMI_COMMAND, "").strip()
    shown = f"the command of {PULUMI_COMMAND}" if named else "pulumi"
    what = f"Cannot run `{shlex.join(['pulumi', *arguments])}`{f' by {shown}' if named else ''}"
    try:
        first, *more = shlex.split(named or "pulumi")
    except ValueError as error:
        why = f"{shown} cannot be understood ({error})"
        raise ConfigurationError(what, why, "give a program and its arguments, without a shell's signs") from None
    command = shutil.which(first)
    if command is None:
        instead = "; or name the stack with --stack and a file with its outputs as JSON with --outputs"
        do = f"install Pulumi{'' if arguments[1] in WHOLE_STATE else instead}"
        raise ConfigurationError(what, f"there is no such program on the PATH: {shown}", do)
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [command, *more, *arguments, "--non-interactive"],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PULUMI_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"it did not answer within {PULUMI_SECONDS} s"
        raise ConfigurationError(what, why, "check that its backend can be reached") from None
    except OSError as error:
        why = f"{shown} cannot be run ({error.strerror or type(error).__name__})"
        raise ConfigurationError(what, why, "run it by hand to see more") from None
    if done.returncode:
        why = " ".join(done.stderr.split()) or f"it ended with exit code {done.returncode}"
        kind = NoSuchStackError if NO_SUCH_STACK in why else ConfigurationError
        by_hand = "run it by hand to see more; `pulumi stack ls` lists the stacks"
        raise kind(what, why, CUT_OFF if NO_CHECKPOINT in why else by_hand)
    return done.stdout
