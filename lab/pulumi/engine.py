"""Deployments by the real Pulumi CLI, with the interface of the lab's own engine."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.engine.model import Diagnostic, Event, Options, Result
from lab.engine.state import STACK_TYPE
from lab.engine.values import Secret
from lab.program import link_program
from lab.project import read
from lab.pulumi import events
from lab.pulumi.installation import Installation

SECONDS = 1800


class PulumiError(Exception):
    """The CLI could not do what only prepares a deployment; the text is what it said."""


class PulumiEngine:
    """Runs a program against its stack's state, by the Pulumi CLI."""

    def __init__(
        self,
        installation: Installation,
        program: Path,
        stack: str,
        state: Path,
        *,
        environment: Mapping[str, str] | None = None,
        config_file: Path | None = None,
        config: Mapping[str, Any] | None = None,
        listener: Callable[[Event], None] | None = None,
    ) -> None:
        """Prepare; nothing is read or started yet.

        Args:
            installation: the CLI.
            program: the folder with Pulumi.yaml.
            stack: the stack's name.
            state: the folder of states.
            environment: of the CLI and all it starts; this process's if not given.
            config_file: the stack file, if not Pulumi.<stack>.yaml beside Pulumi.yaml.
            config: values that win over the stack file's, by key; `Secret(x)` for secret ones.
            listener: gets every event when the operation has ended.
        """
        self._command = installation.command
        self._program, self._stack, self._state = program.resolve(), stack, state.resolve()
        self._config_file = config_file or program / f"Pulumi.{stack}.yaml"
        self._config = dict(config or {})
        self._listener = listener or (lambda _: None)
        given = os.environ if environment is None else environment
        ours = installation.environment(self._state, given)
        self.environment = {**given, **ours, "PULUMI_DEBUG_COMMANDS": "true"}
        self.folder = self._state / "programs" / stack

    # --- operations ----------------------------------------------------------------------------------------

    def preview(self, options: Options = Options()) -> Result:  # noqa: B008 - a frozen value
        """Say what `up` would do."""
        return self._run("preview", options, preview=True)

    def up(self, options: Options = Options()) -> Result:  # noqa: B008
        """Make it so."""
        return self._run("up", options, preview=options.preview_only)

    def refresh(self, options: Options = Options()) -> Result:  # noqa: B008
        """Read what is there into the state."""
        return self._run("refresh", options, preview=options.preview_only)

    def destroy(self, options: Options = Options()) -> Result:  # noqa: B008
        """Delete everything in the state."""
        return self._run("destroy", options, preview=options.preview_only)

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs."""
        self.prepare()
        flags = ["--show-secrets"] if show_secrets else []
        found: dict[str, Any] = json.loads(self._ask("stack", "output", "--json", *flags))
        return found

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The state, as `pulumi stack export` prints it."""
        self.prepare()
        flags = ["--show-secrets"] if show_secrets else []
        found: dict[str, Any] = json.loads(self._ask("stack", "export", *flags))
        return found

    def import_state(self, document: Mapping[str, Any]) -> None:
        """Take a state as `export` gives it."""
        self.prepare()
        self._ask("stack", "import", "--force", given=json.dumps(document))

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Give every event from now on to this listener."""
        self._listener = listener

    def show(self, operation: str, flags: Sequence[str]) -> int:
        """Run an operation at this terminal, as Pulumi shows it; the exit code."""
        return self.command(self.words(operation, flags))

    def command(self, arguments: Sequence[str]) -> int:
        """Run any other command at this terminal, on this stack; the exit code."""
        self.prepare()
        words = [str(self._command), *arguments]
        return subprocess.run(words, cwd=self.folder, env=self.environment, check=False).returncode

    def words(self, operation: str, flags: Sequence[str]) -> list[str]:
        """The arguments of an operation."""
        planning = operation == "preview" or "--preview-only" in flags
        sure = [] if planning else ["--yes", "--skip-preview"]
        return [operation, "--stack", self._stack, *sure, *flags]

    # --- running -------------------------------------------------------------------------------------------

    def _run(self, operation: str, options: Options, *, preview: bool) -> Result:
        began = time.monotonic()
        self.prepare()
        log_file = self._state / f"{self._stack}.{os.getpid()}.events"
        flags = ["--event-log", str(log_file), "--non-interactive", "--color", "never", "-p", str(options.parallel)]
        chosen = {
            "--expect-no-changes": options.expect_no_changes,
            "--refresh": options.refresh,
            "--preview-only": options.preview_only and operation != "preview",
        }
        flags += [flag for flag, wanted in chosen.items() if wanted]
        flags += [word for name in options.replace for word in ("--replace", f"**::{name}")]
        try:
            done = subprocess.run(
                [self._command, *self.words(operation, flags)],
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            lines = log_file.read_text().split("\n") if log_file.exists() else []
        finally:
            log_file.unlink(missing_ok=True)
        log = events.read(json.loads(line) for line in lines if line)
        told = [*log.diagnostics, *errors_of(done, log)]
        happened: list[Event] = [*told, *log.steps]
        for event in happened:
            self._listener(event)
        outputs = self._last_outputs() if log.outputs is None or (done.returncode and not preview) else log.outputs
        seconds = time.monotonic() - began
        return Result(
            operation,
            self._stack,
            preview,
            done.returncode,
            tuple(log.steps),
            tuple(told),
            log.summary,
            outputs,
            seconds,
        )

    def _last_outputs(self) -> dict[str, Any]:
        """The outputs in the state, which keeps them when a run fails."""
        resources = self.export()["deployment"].get("resources") or []
        outputs = next((one.get("outputs") for one in resources if one["type"] == STACK_TYPE), None)
        found: dict[str, Any] = events.shown(outputs or {})
        return found

    def prepare(self) -> None:
        """Bring the program's folder up to date, and make the stack where there is none yet."""
        # A broken one is told by the place where it is mended, with the column: Pulumi would name the copy.
        read(self._program / "Pulumi.yaml")
        link_program(self._program, self.folder)
        self._write_stack_file()
        if not list(self._state.glob(f".pulumi/stacks/*/{self._stack}.json")):
            self._ask("stack", "init", self._stack)
        for key, value in self._config.items():
            if isinstance(value, Secret):
                self._ask("config", "set", "--secret", "--stack", self._stack, key, given=str(value.value))

    def _write_stack_file(self) -> None:
        """The stack file with the values that win over it, and the salt that Pulumi wrote there before."""
        mine = self.folder / f"Pulumi.{self._stack}.yaml"
        before = read(mine) if mine.exists() else {}
        given = read(self._config_file) if self._config_file.exists() else {}
        config = {**(given.get("config") or {})}
        for key, value in self._config.items():
            if not isinstance(value, Secret):
                config[key] = value
        kept = {key: value for key, value in before.items() if key == "encryptionsalt"}
        mine.write_text(yaml.safe_dump({**given, **kept, "config": config}, sort_keys=False))

    def _ask(self, *words: str, given: str = "") -> str:
        stack = ["--stack", self._stack] if words[0] == "stack" and words[1] != "init" else []
        done = subprocess.run(
            [self._command, *words, *stack, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PulumiError(f"`pulumi {' '.join(words)}` failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout


def errors_of(done: subprocess.CompletedProcess[str], log: events.Log) -> list[Diagnostic]:
    """What the command itself said went wrong, where no event did."""
    if done.returncode == 0 or any(diagnostic.severity == "error" for diagnostic in log.diagnostics):
        return []
    said = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")]
    return [Diagnostic("error", text) for text in said or [done.stderr.strip()]]
