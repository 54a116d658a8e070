"""One operation on a stack: its state as it changes, its provider processes, its steps."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

from lab.engine.comparison import Detail, compare, top_level
from lab.engine.model import Diagnostic, Event, Finished, Options, Started, Step
from lab.engine.plugins import InitFailed, Plugin, PluginError
from lab.engine.processes import Children
from lab.engine.project import Project
from lab.engine.state import PROVIDER_PREFIX, STACK_TYPE, Resource, Store
from lab.engine.values import Properties, Secret, from_struct, mark_secrets, masked, without_nulls

DIFF_UNKNOWN, DIFF_NONE = 0, 1
KINDS = ("add", "add-replace", "delete", "delete-replace", "update", "update-replace")


class Stopped(Exception):  # noqa: N818 - an order, not an accident
    """Something failed or the user interrupted: begin nothing new."""


@dataclass(frozen=True)
class Difference:
    """What a provider's diff amounts to."""

    changed: bool
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
        self._running = threading.Semaphore(options.parallel)
        self._plugins: dict[str, Plugin] = {}
        self.engine_address = ""
        self.children = Children()
        self.live: dict[str, Resource] = {r.urn: r for r in store.resources if not r.delete}
        self.doomed: list[Resource] = [r for r in store.resources if r.delete]
        self.seen: set[str] = set()
        self.steps: list[Step] = []
        self.diagnostics: list[Diagnostic] = []
        self.stopped = False
        self.failed = False
        self.on_stop: Callable[[], None] = lambda: None

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
        for _ in range(self.options.parallel):
            self._running.acquire()
        for _ in range(self.options.parallel):
            self._running.release()

    def run_step(self, step: Step, action: Callable[[], Step]) -> Step:
        """Run one step: announce it, do it, record how it ended.

        Raises:
            Stopped: it failed, or something else had before it began.
        """
        with self._running:
            if self.stopped and step.phase == 1:
                raise Stopped
            step = replace(step, started=time.monotonic())
            self._emit(Started(step))
            try:
                done = replace(action(), started=step.started, ended=time.monotonic())
            except PluginError as error:
                failed = replace(step, outcome="failed", ended=time.monotonic())
                if isinstance(error, InitFailed):
                    failed = replace(failed, id=error.id)
                self._record(failed)
                self.fail(str(error), step.urn)
                raise Stopped from None
            self._record(done)
            return done

    def _record(self, step: Step) -> None:
        with self._lock:
            self.steps.append(step)
            self._emit(Finished(step))

    def _emit(self, event: Event) -> None:
        with self._lock:
            self._listener(event)

    # --- state ---------------------------------------------------------------------------------------------

    def put(self, resource: Resource) -> None:
        """A resource is now so."""
        with self._lock:
            self.live[resource.urn] = resource
            self.save()

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

    def pending(self, resource: Resource, kind: str, action: Callable[[], Any]) -> Any:
        """Do something while the state says that it is being done."""
        entry = {"resource": {"urn": resource.urn, "type": resource.type, "custom": True}, "type": kind}
        with self._lock:
            self.store.pending.append(entry)
            self.save()
        try:
            done = action()
        except PluginError:
            with self._lock:
                self.store.pending.remove(entry)
                self.save()
            raise
        with self._lock:
            self.store.pending.remove(entry)  # saved with what the action made
        return done

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
        package = provider.type.removeprefix(PROVIDER_PREFIX)
        environment = {**self._environment, "PULUMI_PROJECT": self.project.name}
        mappings = (provider.inputs.get("__internal") or {}).get("envVarMappings") or {}
        for outside, inside in mappings.items():
            if outside in self._environment:
                environment[inside] = self._environment[outside]
        plugin = Plugin(
            self.children,
            package,
            self.project.python,
            self.project.folder,
            self.engine_address,
            environment,
            lambda line: self.say("info", line),
        )
        try:
            properties = {key: value for key, value in provider.inputs.items() if key != "__internal"}
            plugin.check_config(provider.urn, {}, properties)
            plugin.configure(properties)
        except PluginError:
            plugin.stop()
            raise
        return plugin

    def close(self) -> None:
        """End every provider process."""
        self.stop_plugins()
        self.children.close()

    def stop_plugins(self) -> None:
        """End them, so that what follows gets new ones with the properties of this run."""
        for plugin in self._plugins.values():
            plugin.stop()
        self._plugins.clear()

    # --- provider calls ------------------------------------------------------------------------------------

    def check(self, resource: Resource, olds: Mapping[str, Any], news: Properties) -> Properties:
        """Let the provider accept or complete inputs.

        Raises:
            PluginError: it refuses them.
        """
        plugin = self.plugin(resource.provider_urn)
        answer = plugin.call("Check", urn=resource.urn, olds=olds, news=news)
        if answer.failures:
            raise PluginError("\n".join(complaint(resource, news, failure) for failure in answer.failures))
        return mark_secrets(from_struct(answer.inputs), news)

    def diff(self, old: Resource, news: Mapping[str, Any], provider_urn: str) -> Difference:
        """Ask the provider what differs; compare inputs where it leaves that to the engine."""
        answer = self.plugin(provider_urn).call(
            "Diff",
            id=old.id,
            urn=old.urn,
            olds=old.outputs,
            news=news,
            old_inputs=old.inputs,
            ignoreChanges=old.ignore_changes,
        )
        detail: Detail = {}
        if answer.changes == DIFF_UNKNOWN:
            detail = compare(without_nulls(old.inputs), without_nulls(dict(news)))
        elif answer.changes != DIFF_NONE and answer.detailedDiff:
            detail = {
                path: {"diffKind": KINDS[found.kind], "inputDiff": found.inputDiff}
                for path, found in answer.detailedDiff.items()
            }
        changed = bool(detail) if answer.changes == DIFF_UNKNOWN else answer.changes != DIFF_NONE
        return Difference(changed or bool(answer.replaces), tuple(answer.replaces), detail, answer.deleteBeforeReplace)

    def outputs(self, raw: Any, resource: Resource) -> Properties:
        """A provider's outputs with their secrets marked."""
        found = {key: value for key, value in from_struct(raw).items() if value is not None}
        marked = mark_secrets(found, resource.inputs)
        for key in resource.additional_secret_outputs:
            if key in marked and not isinstance(marked[key], Secret):
                marked[key] = Secret(marked[key])
        return marked

    # --- deleting ------------------------------------------------------------------------------------------

    def delete(self, resource: Resource, phase: int) -> None:
        """Delete one resource, at its provider and in the state.

        Raises:
            Stopped: it failed.
        """
        op = "delete-replaced" if resource.delete or phase == 1 else "delete"
        step = step_of(op, resource, phase, old=resource)

        def act() -> Step:
            if resource.protect:
                raise PluginError(
                    f'resource "{resource.urn}" cannot be deleted\nbecause it is protected. Remove `protect` from '
                    "the resource in the program and run `up` first"
                )
            called = resource.custom and not resource.is_provider and not self._goes_with_another(resource)
            if called and not self.preview:
                plugin = self.plugin(resource.provider_urn)
                self.pending(
                    resource,
                    "deleting",
                    lambda: plugin.call(
                        "Delete",
                        id=resource.id,
                        urn=resource.urn,
                        properties=resource.outputs,
                        old_inputs=resource.inputs,
                        timeout=resource.custom_timeouts.get("delete", 0),
                    ),
                )
            self.drop(resource)
            return step

        self.run_step(step, act)

    def _goes_with_another(self, resource: Resource) -> bool:
        return resource.retain_on_delete or bool(resource.deleted_with and resource.deleted_with not in self.seen)

    def delete_all(self, resources: Iterable[Resource], phase: int = 2) -> None:
        """Delete resources, dependents first, independent ones at the same time."""
        waiting = list(resources)
        running: dict[Future[None], Resource] = {}
        with ThreadPoolExecutor(max(len(waiting), 1)) as pool:
            while waiting or running:
                around = [*waiting, *running.values()]
                ready = [] if self.stopped else [r for r in waiting if not depended_on(r, around)]
                for resource in ready:
                    waiting.remove(resource)
                    running[pool.submit(self.delete, resource, phase)] = resource
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[future]
                    if not isinstance(future.exception(), Stopped | None):
                        future.result()

    # --- refreshing ----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read everything at its provider, and make the state say what is there."""
        resources = list(self.live.values())
        with ThreadPoolExecutor(self.options.parallel) as pool:
            futures = [pool.submit(self._refresh_one, resource) for resource in resources]
        for future in futures:
            if not isinstance(future.exception(), Stopped | None):
                future.result()
        gone = {resource.urn for resource in resources} - set(self.live)
        for resource in self.live.values():
            resource.dependencies = [urn for urn in resource.dependencies if urn not in gone]
            resource.property_dependencies = {
                key: left
                for key, urns in resource.property_dependencies.items()
                if (left := [urn for urn in urns if urn not in gone])
            }
        self.save()

    def _refresh_one(self, resource: Resource) -> None:
        step = step_of("refresh", resource, 0, old=resource)
        self.run_step(step, lambda: self._read(resource, step))

    def _read(self, resource: Resource, step: Step) -> Step:
        if not resource.custom or resource.is_provider:
            return replace(step, result="same")
        errors: list[str] = []
        plugin = self.plugin(resource.provider_urn)
        try:
            answer = plugin.call(
                "Read", id=resource.id, urn=resource.urn, properties=resource.outputs, inputs=resource.inputs
            )
        except InitFailed as failed:
            errors = failed.reasons
            listed = "\n".join(f"* {reason}" for reason in errors)
            self.say("warning", f"Refreshed resource is in an unhealthy state:\n{listed}", resource.urn)
            id_, properties, inputs = failed.id, failed.properties, failed.inputs
        else:
            id_, properties = answer.id, from_struct(answer.properties)
            inputs = from_struct(answer.inputs) if answer.HasField("inputs") else None
        if not id_:
            with self._lock:
                self.live.pop(resource.urn)
            return replace(step, result="delete")
        read = replace(
            resource,
            id=id_,
            inputs=resource.inputs if inputs is None else mark_secrets(without_nulls(inputs), resource.inputs),
            outputs=mark_secrets(mark_secrets(without_nulls(properties), resource.inputs), resource.outputs),
            init_errors=errors,
        )
        with self._lock:
            self.live[resource.urn] = read
        found = self.diff(replace(read, inputs=read.inputs), resource.inputs, resource.provider_urn)
        detail = {path: {**kind, "diffKind": inverted(kind["diffKind"])} for path, kind in found.detail.items()}
        return replace(
            step_of("refresh", read, 0, old=resource),
            result="update" if detail else "same",
            diffs=top_level(detail),
            detailed_diff=detail,
        )


def complaint(resource: Resource, news: Mapping[str, Any], failure: Any) -> str:
    """A failed check in the real engine's words."""
    value = masked(news.get(failure.property))
    return (
        f"{resource.type} resource '{resource.name}': property {failure.property} value {{{value}}} has a problem: "
        f"{failure.reason}"
    )


def inverted(kind: str) -> str:
    """A refresh compares the other way round."""
    return {"add": "delete", "delete": "add"}.get(kind, kind)


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
        old_outputs=masked(old.outputs) if old else {},
        parent=resource.parent,
        **more,
    )


def depended_on(resource: Resource, around: Iterable[Resource]) -> bool:
    """Whether another of these resources needs this one."""
    return any(resource.urn in other.needs() for other in around if other is not resource)


def new_provider_id() -> str:
    """The made-up id of a provider."""
    return str(uuid.uuid4())


def is_stack(resource: Resource) -> bool:
    """Whether this is the stack's own resource."""
    return resource.type == STACK_TYPE
