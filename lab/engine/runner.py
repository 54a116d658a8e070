"""The engine: preview, up, refresh, destroy and outputs of one stack."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab.engine import project as projects
from lab.engine.deployment import Deployment, is_stack
from lab.engine.model import Event, Options, Result, Step
from lab.engine.registration import Registrar
from lab.engine.services import serving
from lab.engine.state import Store
from lab.engine.values import masked, plain

LAUNCHER = Path(__file__).with_name("launch.py")
OK, FAILED, CHANGES = 0, 1, 7


class Engine:
    """Runs a program against its stack's state."""

    def __init__(
        self,
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
            program: the folder with Pulumi.yaml.
            stack: the stack's name.
            state: the folder of states.
            environment: of program and providers; this process's if not given.
            config_file: the stack file, if not Pulumi.<stack>.yaml beside Pulumi.yaml.
            config: values that win over the stack file's, by key; `Secret(x)` for secret ones.
            listener: gets every event while an operation runs.
        """
        self._program, self._stack, self._state = program.resolve(), stack, state.resolve()
        self._environment = dict(os.environ if environment is None else environment)
        self._config_file, self._config = config_file, dict(config or {})
        self._listener = listener or (lambda _: None)
        self._passphrase = self._environment.get("PULUMI_CONFIG_PASSPHRASE") or "lab"

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Give every event from now on to this listener."""
        self._listener = listener

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
        store = self._load()
        stack = next((r for r in store.resources if is_stack(r)), None)
        found = {} if stack is None else (plain if show_secrets else masked)(stack.outputs)
        return dict(found)

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The state, as `pulumi stack export` prints it."""
        return self._load().export(show_secrets=show_secrets)

    def import_state(self, document: Mapping[str, Any]) -> None:
        """Take a state as `export` gives it, as `pulumi stack import` does."""
        self._load().write(document)

    def _load(self) -> Store:
        project = self._project()
        store = Store(self._state, project.name, self._stack, self._passphrase)
        store.load()
        return store

    def _project(self) -> projects.Project:
        return projects.load(self._program, self._stack, self._config_file, self._config, self._passphrase)

    # --- running -------------------------------------------------------------------------------------------

    def _run(self, operation: str, options: Options, *, preview: bool) -> Result:
        began = time.monotonic()
        project = self._project()
        store = Store(self._state, project.name, self._stack, self._passphrase)
        with store.locked():
            store.load()
            deployment = Deployment(project, store, options, self._environment, self._listener, preview=preview)
            self._tell_of_leftovers(deployment, operation)
            try:
                with interruptible(deployment):
                    self._operate(operation, deployment, options)
            finally:
                deployment.close()
        return self._result(operation, deployment, options, time.monotonic() - began)

    def _tell_of_leftovers(self, deployment: Deployment, operation: str) -> None:
        """What a killed run left unfinished: a create stays listed until a refresh has looked."""
        pending = deployment.store.pending
        if operation == "up":
            for entry in pending:
                message = f"{entry['resource']['urn']} was interrupted while {entry['type']}"
                deployment.say("warning", message)
        if operation == "refresh":
            pending = [entry for entry in pending if entry["type"] == "creating"]
        deployment.store.pending = pending

    def _operate(self, operation: str, deployment: Deployment, options: Options) -> None:
        if operation in ("preview", "up"):
            self._run_program(deployment, options)
            return
        with serving(deployment, None, lambda _: True):
            if operation == "refresh" or options.refresh:
                deployment.refresh()
            if operation == "destroy" and not deployment.stopped:
                deployment.delete_all([*deployment.live.values(), *deployment.doomed])

    def _run_program(self, deployment: Deployment, options: Options) -> None:
        ended = threading.Event()
        with serving(deployment, None, lambda _: True):
            if options.refresh:
                deployment.refresh()
        if deployment.stopped:
            return
        deployment.stop_plugins()
        registrar = Registrar(deployment)
        with serving(deployment, registrar, ended.wait) as address:
            process = self._start_program(deployment, address)
            deployment.on_stop = lambda: interrupt(process)
            if deployment.stopped:
                interrupt(process)
            code = process.wait()
            ended.set()
            deployment.wait_for_running()
            if code != 0 and not deployment.failed and not deployment.stopped:
                deployment.fail(f"the program ended with exit code {code}", "")
            if code == 0 and not deployment.failed and not deployment.stopped:
                left = [r for urn, r in deployment.live.items() if urn not in deployment.seen]
                deployment.delete_all([*left, *deployment.doomed])
            elif not deployment.stopped:
                deployment.failed = True

    def _start_program(self, deployment: Deployment, address: str) -> subprocess.Popen[str]:
        project = deployment.project
        texts, secret = project.texts()
        environment = {
            **self._environment,
            "PULUMI_CONFIG": json.dumps(texts),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(secret),
        }
        arguments = {
            "monitor": address,
            "engine": address,
            "project": project.name,
            "stack": project.stack,
            "dry-run": "true" if deployment.preview else "false",
            "parallel": str(deployment.options.parallel),
            "root": str(project.folder),
        }
        command = [project.python, "-u", str(LAUNCHER)]
        for name, value in arguments.items():
            command += [f"--{name}", value]
        process = deployment.children.start(command, project.folder, environment, stderr=subprocess.STDOUT)
        threading.Thread(target=self._forward, args=(process, deployment), daemon=True).start()
        return process

    @staticmethod
    def _forward(process: subprocess.Popen[str], deployment: Deployment) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            deployment.say("info", line.rstrip("\n"))

    def _result(self, operation: str, deployment: Deployment, options: Options, seconds: float) -> Result:
        summary = summarize(deployment.steps)
        code = FAILED if deployment.failed or deployment.stopped else OK
        if code == OK and options.expect_no_changes and any(step.changes for step in deployment.steps):
            code = CHANGES
            verb = "update" if operation == "up" else operation
            deployment.say(
                "error",
                f"no changes were expected for {verb} but changes were {'proposed' if deployment.preview else 'made'}",
            )
        # What a preview of destroy shows are the outputs that would go.
        around = deployment.store.resources if deployment.preview else deployment.live.values()
        stack = next((r for r in (*deployment.live.values(), *around) if is_stack(r)), None)
        return Result(
            operation,
            self._stack,
            deployment.preview,
            code,
            tuple(deployment.steps),
            tuple(deployment.diagnostics),
            summary,
            masked(stack.outputs) if stack else {},
            seconds,
        )


def summarize(steps: list[Step]) -> dict[str, int]:
    """How many resources were created, updated, ..., as the real engine counts them."""
    counted: Counter[str] = Counter()
    later = any(step.phase > 0 for step in steps)
    for step in steps:
        if step.outcome != "done" or step.op == "delete-replaced":
            continue
        if step.op == "refresh":
            if not later:
                counted[step.result] += 1
        else:
            counted["replace" if step.op == "create-replacement" else step.op] += 1
    return dict(counted)


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ask the program to end."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)


class interruptible:  # noqa: N801 - reads as a statement
    """Turn Ctrl-C into an orderly stop: no new steps, running ones are awaited and saved."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._stop)

    def _stop(self, *_: object) -> None:
        self._deployment.say("warning", "interrupted: waiting for what is running, starting nothing new")
        threading.Thread(target=self._deployment.stop, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
