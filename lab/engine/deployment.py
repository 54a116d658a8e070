"""One operation on a stack: its state as it changes, its provider processes, its steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from lab.engine.comparison import Detail, compare
from lab.engine.model import Diagnostic, Event, Options, Step
from lab.engine.plugins import InitFailed, Plugin, PluginError
from lab.engine.processes import Children
from lab.engine.state import PROVIDER_PREFIX, Resource, Store
from lab.engine.values import Properties, from_struct, mark_secrets, masked, without_nulls
from lab.project import Project

DIFF_UNKNOWN, DIFF_NONE = 0, 1
KINDS = ("add", "add-replace", "delete", "delete-replace", "update", "update-replace")


class Stopped(Exception):  # noqa: N818 - an order, not an accident
    """Something failed or the user interrupted: begin nothing new."""


@dataclass(frozen=True)
class Difference:
    """What a provider's diff amounts to."""

    changed: bool = True
    replaces: tuple[str, ...] = ()
    detail: Detail = field(default_factory=dict)
    delete_before_replace: bool = False


class Deployment:
    """State, plugins and steps of one operation. Registrations call in from many threads."""

    def __init__(
        self,
        project: Project,
        store: Store,
        options: Options,
        environment: Mapping[str, str],
        listener: Callable[[Event], None],
        *,
        preview: bool,
    ) -> None:
        self.project, self.store, self.options, self.preview = project, store, options, preview
        self._environment, self._listener = environment, listener
        self._lock = threading.RLock()
        self._running, self._waiting = threading.Semaphore(options.parallel), threading.Lock()
        self._plugins: dict[str, Plugin] = {}
        self.engine_address = self.root = ""
        self.children = Children()
        self.live: dict[str, Resource] = {r.urn: r for r in store.resources if not r.delete}
        self.doomed: list[Resource] = [r for r in store.resources if r.delete]
        self.seen: set[str] = set()
        self.steps: list[Step] = []
        self.diagnostics: list[Diagnostic] = []
        self.stopped = False
        self.failed = False
        self.on_stop: Callable[[], None] = lambda: None

    @property
    def goes_well(self) -> bool:
        """Whether nothing failed and nobody interrupted."""
        return not self.failed and not self.stopped

    # --- telling -------------------------------------------------------------------------------------------

    def say(self, severity: str, message: str, urn: str = "", *, ephemeral: bool = False) -> None:
        """Pass a message on."""
        diagnostic = Diagnostic(severity, message.rstrip("\n"), urn, ephemeral)
        with self._lock:
            if not ephemeral:
                self.diagnostics.append(diagnostic)
            self._listener(diagnostic)

    def fail(self, message: str, urn: str) -> None:
        """Note an error and begin nothing new."""
        self.say("error", message, urn)
        self.failed = True
        self.stop()

    def stop(self) -> None:
        """Begin nothing new; what runs is awaited."""
        with self._lock:
            already, self.stopped = self.stopped, True
        if not already:
            self.on_stop()

    def wait_for_running(self) -> None:
        """Wait for the steps that have begun; once everything has stopped no other will."""
        with self._waiting:  # two who each hold some of the places would wait for each other
            for _ in range(self.options.parallel):
                self._running.acquire()
            self._running.release(self.options.parallel)

    def run_step(self, step: Step, action: Callable[[], Step]) -> None:
        """Run one step: announce it, do it, record how it ended.

        Raises:
            Stopped: it failed, or something else had before it began.
        """
        with self._running:
            if self.stopped and step.phase:
                raise Stopped
            step = replace(step, outcome="running", started=time.monotonic())
            with self._lock:
                self._listener(step)
            try:
                done = action()
            except PluginError as error:
                known = error.id if isinstance(error, InitFailed) else step.id
                self._record(step, replace(step, outcome="failed", id=known))
                self.fail(str(error), step.urn)
                raise Stopped from None
            self._record(step, done)

    def _record(self, begun: Step, ended: Step) -> None:
        ended = replace(ended, started=begun.started, ended=time.monotonic())
        with self._lock:
            self.steps.append(ended)
            self._listener(ended)

    # --- state ---------------------------------------------------------------------------------------------

    def put(self, resource: Resource, old: Resource | None = None) -> None:
        """A resource is now so; as it was (`old`), it is not written."""
        with self._lock:
            self.live[resource.urn] = resource
            if resource != old:
                self.save()

    def take_place(self, resource: Resource) -> None:
        """A new resource is there; an old one of its URN is to be deleted later."""
        with self._lock:
            old = self.live.get(resource.urn)
            if old is not None and (old.id != resource.id or not self.preview):
                self.doomed.append(replace(old, delete=True))
            self.put(resource)

    def drop(self, resource: Resource) -> None:
        """A resource is gone."""
        with self._lock:
            if resource.delete:
                self.doomed = [other for other in self.doomed if other is not resource]
            else:
                self.live.pop(resource.urn, None)
            self.save()

    def save(self) -> None:
        """Write the state; a preview leaves it alone."""
        if not self.preview:
            self.store.resources = [*self.live.values(), *self.doomed]
            self.store.save()

    @contextmanager
    def pending(self, resource: Resource, kind: str) -> Iterator[None]:
        """While something is being done, the state says so. Its end is saved with what was made."""
        entry = {"resource": {"urn": resource.urn, "type": resource.type, "custom": True}, "type": kind}
        with self._lock:
            self.store.pending.append(entry)
            self.save()
        failed = True
        try:
            yield
            failed = False
        finally:
            with self._lock:
                self.store.pending.remove(entry)
                if failed:
                    self.save()

    # --- plugins -------------------------------------------------------------------------------------------

    def plugin(self, provider_urn: str) -> Plugin:
        """The process of an explicit provider, started when first needed.

        Raises:
            PluginError: it cannot be started or configured.
        """
        with self._lock:
            if provider_urn not in self._plugins:
                provider = self.live.get(provider_urn)
                if provider is None:
                    raise PluginError(f"unknown provider {provider_urn}")
                self._plugins[provider_urn] = self._start(provider)
            return self._plugins[provider_urn]

    def _start(self, provider: Resource) -> Plugin:
        environment = {**self._environment, "PULUMI_PROJECT": self.project.name}
        mappings = (provider.inputs.get("__internal") or {}).get("envVarMappings") or {}
        for outside, inside in mappings.items():
            if outside in self._environment:
                environment[inside] = self._environment[outside]
        plugin = Plugin(
            self.children,
            provider.type.removeprefix(PROVIDER_PREFIX),
            self.project.python,
            self.project.folder,
            self.engine_address,
            environment,
            lambda line: self.say("info", line),
        )
        try:
            plugin.configure(provider.urn, {k: v for k, v in provider.inputs.items() if k != "__internal"})
        except PluginError:
            plugin.stop()
            raise
        return plugin

    def stop_plugins(self) -> None:
        """End every process; what follows gets new ones with the properties of this run."""
        for plugin in self._plugins.values():
            plugin.stop()
        self._plugins.clear()

    # --- provider calls ------------------------------------------------------------------------------------

    def change(self, kind: str, method: str, resource: Resource, **fields: Any) -> Any:
        """Have the provider change something; the state says so meanwhile.

        Raises:
            PluginError: it failed.
        """
        plugin = self.plugin(resource.provider_urn)
        timeout = resource.custom_timeouts.get(method.lower(), 0)
        with self.pending(resource, kind):
            return plugin.call(method, urn=resource.urn, timeout=timeout, **fields)

    def check(self, resource: Resource, olds: Mapping[str, Any], news: Properties) -> Properties:
        """Let the provider accept or complete inputs.

        Raises:
            PluginError: it refuses them.
        """
        answer = self.plugin(resource.provider_urn).call("Check", urn=resource.urn, olds=olds, news=news)
        if answer.failures:
            raise PluginError("\n".join(complaint(resource, news, failure) for failure in answer.failures))
        return mark_secrets(from_struct(answer.inputs), news)

    def diff(self, old: Resource, news: Mapping[str, Any], provider_urn: str) -> Difference:
        """Ask the provider what differs; compare inputs where it leaves that to the engine."""
        fields = {"olds": old.outputs, "news": news, "old_inputs": old.inputs}
        answer = self.plugin(provider_urn).call("Diff", id=old.id, urn=old.urn, **fields)
        detail: Detail = {}
        if answer.changes == DIFF_UNKNOWN:
            detail = compare(without_nulls(old.inputs), without_nulls(dict(news)))
        elif answer.changes != DIFF_NONE:
            detail = {
                path: {"diffKind": KINDS[found.kind], "inputDiff": found.inputDiff}
                for path, found in answer.detailedDiff.items()
            }
        changed = bool(detail) if answer.changes == DIFF_UNKNOWN else answer.changes != DIFF_NONE
        return Difference(changed or bool(answer.replaces), tuple(answer.replaces), detail, answer.deleteBeforeReplace)


def complaint(resource: Resource, news: Mapping[str, Any], failure: Any) -> str:
    """A failed check in the real engine's words."""
    value = masked(news.get(failure.property))
    return (
        f"{resource.type} resource '{resource.name}': property {failure.property} value {{{value}}} has a problem: "
        f"{failure.reason}"
    )


def half_made(resource: Resource, failed: InitFailed) -> Resource:
    """What is known of an object that exists and is not as asked for."""
    outputs = {key: value for key, value in failed.properties.items() if value is not None}
    return replace(resource, id=failed.id, outputs=outputs, init_errors=failed.reasons)


def outputs_of(answer: Any, resource: Resource) -> Properties:
    """A provider's outputs, with those secret whose inputs are."""
    found = {key: value for key, value in from_struct(answer.properties).items() if value is not None}
    return mark_secrets(found, resource.inputs)


def step_of(op: str, resource: Resource, phase: int, *, old: Resource | None = None, **more: Any) -> Step:
    """A step about a resource, with everything secret masked."""
    return Step(
        op,
        resource.urn,
        resource.type,
        phase,
        id=resource.id,
        inputs=masked(resource.inputs),
        outputs=masked(resource.outputs),
        old_inputs=masked(old.inputs) if old else {},
        **more,
    )
