"""The engine: preview, up, refresh, destroy and outputs of one stack."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab import project as projects
from lab.engine.deletion import delete_all
from lab.engine.deployment import Deployment
from lab.engine.model import Event, Options, Result, Step
from lab.engine.plugins import forward
from lab.engine.refreshing import refresh
from lab.engine.registration import Registrar
from lab.engine.services import serving
from lab.engine.state import Store
from lab.engine.values import masked, plain

LAUNCHER = Path(__file__).parents[1] / "launch.py"
OK, FAILED, CHANGES = 0, 1, 7
GRACE_SECONDS = 5


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
    ) -> None:
        """Prepare; nothing is read or started yet.

        Args:
            program: the folder with Pulumi.yaml.
            stack: the stack's name.
            state: the folder of states.
            environment: of program and providers; this process's if not given.
            config_file: the stack file, if not Pulumi.<stack>.yaml beside Pulumi.yaml.
            config: values that win over the stack file's, by key; `Secret(x)` for secret ones.
        """
        self._program, self._stack, self._state = program.resolve(), stack, state.resolve()
        self._environment = dict(os.environ if environment is None else environment)
        self._config_file, self._config = config_file, dict(config or {})
        self._listener: Callable[[Event], None] = lambda _: None

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
        stack = next((resource for resource in self._load().resources if resource.is_stack), None)
        found = {} if stack is None else (plain if show_secrets else masked)(stack.outputs)
        return dict(found)

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The state, as `pulumi stack export` prints it."""
        return self._load().export(show_secrets=show_secrets)

    def import_state(self, document: Mapping[str, Any]) -> None:
        """Take a state as `export` gives it, as `pulumi stack import` does."""
        self._load().write(document)

    def _load(self) -> Store:
        store = self._store(self._project())
        store.load()
        return store

    def _store(self, project: projects.Project) -> Store:
        passphrase = self._environment.get("PULUMI_CONFIG_PASSPHRASE") or "lab"
        return Store(self._state, project.name, self._stack, passphrase)

    def _project(self) -> projects.Project:
        return projects.load(self._program, self._stack, self._config_file, self._config)

    # --- running -------------------------------------------------------------------------------------------

    def _run(self, operation: str, options: Options, *, preview: bool) -> Result:
        began = time.monotonic()
        project = self._project()
        store = self._store(project)
        with store.locked():
            store.load()
            deployment = Deployment(project, store, options, self._environment, self._listener, preview=preview)
            with interruptible(deployment):
                self._tell_of_leftovers(deployment, operation)
                try:
                    self._operate(operation, deployment, options)
                finally:
                    deployment.stop_plugins()
                    deployment.children.close()
        return self._result(operation, deployment, options, time.monotonic() - began)

    def _tell_of_leftovers(self, deployment: Deployment, operation: str) -> None:
        """What a killed run left unfinished: a create stays listed until a refresh has looked."""
        store = deployment.store
        if operation == "up":
            for entry in store.pending:
                deployment.say("warning", f"{entry['resource']['urn']} was interrupted while {entry['type']}")
        if operation == "refresh":
            store.pending = [entry for entry in store.pending if entry["type"] == "creating"]

    def _operate(self, operation: str, deployment: Deployment, options: Options) -> None:
        with serving(deployment, None, threading.Event()):
            if operation == "refresh" or options.refresh:
                refresh(deployment)
            if operation == "destroy" and not deployment.stopped:
                delete_all(deployment, [*deployment.live.values(), *deployment.doomed])
        if operation in ("preview", "up") and not deployment.stopped:
            deployment.stop_plugins()
            self._run_program(deployment)

    def _run_program(self, deployment: Deployment) -> None:
        registrar, ended = Registrar(deployment), threading.Event()
        with serving(deployment, registrar, ended) as address:
            process = self._start_program(deployment, address)
            deployment.on_stop = lambda: threading.Thread(target=end, args=(process, deployment), daemon=True).start()
            if deployment.stopped:
                deployment.on_stop()
            code = process.wait()
            ended.set()
            deployment.wait_for_running()
            registrar.wait_for_checks()
            if code != 0 and deployment.goes_well:
                deployment.fail(f"the program ended with exit code {code}", "")
            if deployment.goes_well:
                left = [resource for urn, resource in deployment.live.items() if urn not in deployment.seen]
                delete_all(deployment, [*left, *deployment.doomed])
            finish_outputs(deployment, registrar)

    def _start_program(self, deployment: Deployment, address: str) -> subprocess.Popen[str]:
        project = deployment.project
        texts, secret = project.texts()
        configuration = {"PULUMI_CONFIG": json.dumps(texts), "PULUMI_CONFIG_SECRET_KEYS": json.dumps(secret)}
        arguments = {
            "monitor": address,
            "engine": address,
            "project": project.name,
            "stack": project.stack,
            "dry-run": "true" if deployment.preview else "false",
            "parallel": str(deployment.options.parallel),
            "root": str(project.folder),
        }
        words = [word for name, value in arguments.items() for word in (f"--{name}", value)]
        process = deployment.children.start(
            [project.python, "-u", str(LAUNCHER), *words],
            project.folder,
            {**self._environment, **configuration},
            stderr=subprocess.STDOUT,
        )
        output = (process.stdout, lambda line: deployment.say("info", line))
        threading.Thread(target=forward, args=output, daemon=True).start()
        return process

    def _result(self, operation: str, deployment: Deployment, options: Options, seconds: float) -> Result:
        code = OK if deployment.goes_well else FAILED
        if code == OK and options.expect_no_changes and any(step.changes for step in deployment.steps):
            code = CHANGES
            verb = "update" if operation == "up" else operation
            done = "proposed" if deployment.preview else "made"
            deployment.say("error", f"no changes were expected for {verb} but changes were {done}")
        # What a preview of destroy shows are the outputs that would go.
        around = deployment.store.resources if deployment.preview else []
        stack = next((r for r in (*deployment.live.values(), *around) if r.is_stack), None)
        return Result(
            operation,
            self._stack,
            deployment.preview,
            code,
            tuple(deployment.steps),
            tuple(deployment.diagnostics),
            summarize(deployment.steps),
            masked(stack.outputs) if stack else {},
            seconds,
        )


def finish_outputs(deployment: Deployment, registrar: Registrar) -> None:
    """Note the stack's outputs. What a failed run did not come to say, stays as it was."""
    stack = deployment.live.get(registrar.root)
    if stack is not None:
        before = {} if deployment.goes_well else stack.outputs
        deployment.put(replace(stack, outputs={**before, **registrar.stack_outputs}))


def summarize(steps: list[Step]) -> dict[str, int]:
    """How many resources were created, updated, ..., as the real engine counts them."""
    counted: Counter[str] = Counter()
    later = any(step.phase > 0 for step in steps)
    for step in steps:
        if step.outcome == "done" and step.op == "refresh" and not later:
            counted[step.result] += 1
        elif step.outcome == "done" and step.op not in ("refresh", "delete-replaced"):
            counted["replace" if step.op == "create-replacement" else step.op] += 1
    return dict(counted)


def end(process: subprocess.Popen[str], deployment: Deployment) -> None:
    """Interrupt the program when no step runs any more. Python can lose an interruption; then it is ended."""
    deployment.wait_for_running()
    process.send_signal(signal.SIGINT)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()


@contextmanager
def interruptible(deployment: Deployment) -> Iterator[None]:
    """Turn Ctrl-C into an orderly stop: no new steps, running ones are awaited and saved. The second ends at once."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, lambda *_: os._exit(FAILED))
        deployment.say("warning", "interrupted: waiting for what is running, starting nothing new")
        threading.Thread(target=deployment.stop, daemon=True).start()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
