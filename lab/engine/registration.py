"""What happens when the program registers a resource: check, diff, and the step that follows from them."""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import replace
from typing import Any

from lab.engine.comparison import top_level
from lab.engine.deletion import delete_all
from lab.engine.deployment import Deployment, Difference, Stopped, half_made, outputs_of, step_of
from lab.engine.hooks import KNOWN, Hooks
from lab.engine.model import Step
from lab.engine.plugins import InitFailed, PluginError
from lab.engine.state import STACK_TYPE, Resource, in_dependency_order
from lab.engine.values import UNKNOWN, UNKNOWN_TEXT, Properties, from_struct, without_nulls

UNSUPPORTED = {
    "aliasURNs": "aliases",
    "aliases": "aliases",
    "remote": "remote components",
    "importId": "import",
    "protect": "protect",
    "deletedWith": "deleted_with",
    "replaceOnChanges": "replace_on_changes",
    "transforms": "transforms",
    "state_migrations": "state migrations",
}
UNITS = {"h": 3600, "m": 60, "s": 1}


class Registrar:
    """Takes registrations; each runs in its caller's thread, dependencies are awaited by the SDK."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.preview = deployment.preview
        self.originals = dict(deployment.live)
        self.hooks = Hooks(lambda text, urn: deployment.say("warning", text, urn))
        self.root = ""
        self.stack_outputs: Properties = {}
        # What was deleted to be made again, with the keys that are the reason.
        self._deleted_first: dict[str, tuple[str, ...]] = {}
        self._asked: set[str] = set()
        self._replaced: set[str] = set()
        self._lock = threading.Lock()
        self._at_work, self._idle = 0, threading.Condition()

    def wait_for_checks(self) -> None:
        """Wait for those resources whose provider has been asked already: it is ended next."""
        with self._idle:
            self._idle.wait_for(lambda: not self._at_work)

    def register(self, request: Any) -> Resource:
        """Make a resource as the program declares it.

        Raises:
            Stopped: it or something before it failed.
        """
        with self._idle:
            if self.deployment.stopped:
                raise Stopped
            self._at_work += 1
        try:
            return self._register(request)
        finally:
            with self._idle:
                self._at_work -= 1
                self._idle.notify_all()

    def _register(self, request: Any) -> Resource:
        urn = self.urn(request.type, request.name, request.parent)
        if request.type == STACK_TYPE:
            self.root = urn
        try:
            self.refuse_unsupported(request, urn)
            with self._lock:
                if urn in self.deployment.seen:
                    raise PluginError(f"Duplicate resource URN '{urn}'; try giving it a unique name")  # noqa: TRY301
                self.deployment.seen.add(urn)
            wanted = self.declared(request, urn)
            old = self.originals.get(urn)
            if wanted.managed:
                return self.custom(wanted, old, request)
            return self.provider(wanted, old) if wanted.custom else self.component(wanted, old)
        except PluginError as error:
            self.deployment.fail(str(error), urn)
            raise Stopped from None

    # --- reading the request -------------------------------------------------------------------------------

    def urn(self, type_: str, name: str, parent: str) -> str:
        """The URN of a resource below a parent."""
        project = self.deployment.project
        parent_type = parent.split("::")[2] if parent else STACK_TYPE
        prefix = "" if parent_type == STACK_TYPE else f"{parent_type}$"
        return f"urn:pulumi:{project.stack}::{project.name}::{prefix}{type_}::{name}"

    def refuse_unsupported(self, request: Any, urn: str) -> None:
        """Refuse by name what this engine does not do.

        Raises:
            PluginError: naming the feature.
        """
        found = sorted({words for name, words in UNSUPPORTED.items() if getattr(request, name)})
        found += [f"{hook.name} hooks" for hook, _ in request.hooks.ListFields() if hook.name not in KNOWN]
        if found:
            raise PluginError(f"the lab's engine does not support {' and '.join(found)}")
        package = request.type.split(":")[0]
        if request.custom and not request.provider and package != "pulumi":
            disabled = self.deployment.project.disabled_default_providers()
            if package in disabled or "*" in disabled:
                raise PluginError(f"Default provider for '{package}' disabled. '{urn}' must use an explicit provider.")
            raise PluginError(f"the lab's engine does not support default providers; '{urn}' needs an explicit one")

    def declared(self, request: Any, urn: str) -> Resource:
        """The resource a request declares."""
        inputs = from_struct(request.object)
        if request.envVarMappings:
            inputs["__internal"] = {"envVarMappings": dict(request.envVarMappings)}
        limits = {name: getattr(request.customTimeouts, name) for name in ("create", "update", "delete")}
        return Resource(
            urn,
            request.type,
            request.custom,
            inputs=inputs,
            parent=request.parent or ("" if urn == self.root else self.root),
            provider=request.provider,
            dependencies=sorted(set(request.dependencies)),
            property_dependencies={key: sorted(set(value.urns)) for key, value in request.propertyDependencies.items()},
            retain_on_delete=request.retainOnDelete,
            replace_with=sorted(set(request.replace_with)),
            replacement_trigger=request.replacement_trigger.string_value,
            ignore_changes=list(request.ignoreChanges),
            custom_timeouts={name: seconds(limit) for name, limit in limits.items() if limit},
        )

    # --- kinds of resources --------------------------------------------------------------------------------

    def component(self, wanted: Resource, old: Resource | None) -> Resource:
        """A component: nothing to call."""
        return self.keep("same" if old else "create", replace(wanted, outputs=old.outputs if old else {}), old)

    def provider(self, wanted: Resource, old: Resource | None) -> Resource:
        """An explicit provider: an update never replaces it."""
        inputs = without_nulls(wanted.inputs)
        outputs = {key: value for key, value in inputs.items() if key != "__internal"}
        wanted = replace(wanted, inputs=inputs, outputs=outputs)
        if old is None:
            return self.keep("create", replace(wanted, id=UNKNOWN_TEXT if self.preview else str(uuid.uuid4())), None)
        same = old.inputs == wanted.inputs
        made = self.keep("same" if same else "update", replace(wanted, id=old.id), old)
        if same:
            try:
                self.deployment.plugin(made.urn)
            except PluginError as error:
                why = f"configure provider '{made.urn}': {error}"
                raise PluginError(f"bad provider state for resource {made.urn}: {why}") from None
        return made

    def custom(self, wanted: Resource, old: Resource | None, request: Any) -> Resource:
        """A resource of a provider."""
        given, keys = wanted.inputs, self._deleted_first.get(wanted.urn)
        asked = old is not None and wanted.name in self.deployment.options.replace
        known = {} if old is None or asked or keys is not None else old.inputs
        inputs = given
        for path in wanted.ignore_changes if known else ():
            inputs = with_value_of(known, path.split("."), inputs)
        wanted = replace(wanted, inputs=self.deployment.check(wanted, known, inputs))
        if old is None or keys is not None:
            self._replaced |= set() if old is None else {wanted.urn}
            return self.create(wanted, old, request, keys or ())
        if asked:
            difference = Difference(replaces=("id",))
        elif old.replacement_trigger and wanted.replacement_trigger not in ("", old.replacement_trigger):
            difference = Difference(replaces=("replacementTrigger",))
        elif self._replaced.intersection(wanted.replace_with):
            difference = Difference(replaces=("replaceWith",))
        else:
            difference = self.deployment.diff(old, wanted.inputs, wanted.provider_urn)
        if difference.replaces:
            return self.replace(wanted, old, given, difference, request)
        if difference.changed or old.init_errors:
            return self.update(wanted, old, difference)
        return self.keep("same", replace(wanted, id=old.id, outputs=old.outputs), old)

    # --- steps ---------------------------------------------------------------------------------------------

    def keep(self, op: str, resource: Resource, old: Resource | None) -> Resource:
        """Note a resource; there is nothing to call."""
        shown = replace(resource, id="[unknown]") if resource.id == UNKNOWN_TEXT else resource
        step = step_of(op, shown, 1, old=old)

        def act() -> Step:
            self.deployment.put(resource, old)
            return step

        self.deployment.run_step(step, act)
        return resource

    def create(self, wanted: Resource, old: Resource | None, request: Any, keys: tuple[str, ...]) -> Resource:
        """Create it, anew or in the place of another."""
        made, op = wanted, "create-replacement" if old else "create"

        def act() -> Step:
            nonlocal made
            self.hooks.before(wanted, request.hooks.before_create, preview=self.preview)
            made = replace(wanted, outputs=wanted.inputs) if self.preview else self._created(wanted, request.hooks)
            self.deployment.take_place(made)
            if not self.preview:
                self.hooks.after(made, request.hooks.after_create)
            return step_of(op, made, 1, old=old, keys=keys)

        self.deployment.run_step(step_of(op, wanted, 1, old=old, keys=keys), act)
        return made

    def _created(self, wanted: Resource, hooks: Any) -> Resource:
        def create() -> Any:
            return self.deployment.change("creating", "Create", wanted, properties=wanted.inputs)

        try:
            answer = self.hooks.creating(wanted, hooks.on_error, create)
        except InitFailed as failed:
            self.deployment.take_place(half_made(wanted, failed))
            raise
        if not answer.id:
            raise PluginError(f"plugin returned empty resource.ID from create '{wanted.urn}'")
        return replace(wanted, id=answer.id, outputs=outputs_of(answer, wanted))

    def update(self, wanted: Resource, old: Resource, difference: Difference) -> Resource:
        """Change it in place."""
        changed = {"diffs": top_level(difference.detail), "detailed_diff": difference.detail}
        made = wanted = replace(wanted, id=old.id)

        def act() -> Step:
            nonlocal made
            made = self._updated(wanted, old)
            if not self.preview:
                self.deployment.put(made)
            return step_of("update", made, 1, old=old, **changed)

        self.deployment.run_step(step_of("update", wanted, 1, old=old, **changed), act)
        return made

    def _updated(self, wanted: Resource, old: Resource) -> Resource:
        if self.preview and not self.deployment.plugin(wanted.provider_urn).previews_updates:
            return replace(wanted, outputs=wanted.inputs)
        fields = {"olds": old.outputs, "news": wanted.inputs, "old_inputs": old.inputs, "preview": self.preview}
        try:
            answer = self.deployment.change("updating", "Update", wanted, id=old.id, **fields)
        except InitFailed as failed:
            self.deployment.put(half_made(replace(wanted, inputs=old.inputs), failed))
            raise
        return replace(wanted, outputs=outputs_of(answer, wanted))

    def replace(
        self, wanted: Resource, old: Resource, given: Properties, difference: Difference, request: Any
    ) -> Resource:
        """Put another in its place: the new one first, or the old one's deletion first."""
        wanted = replace(wanted, inputs=self.deployment.check(wanted, {}, given))
        self._replaced.add(wanted.urn)
        first = request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else difference.delete_before_replace
        if first:
            delete_all(self.deployment, [*self.to_delete_first(old), old], phase=1)
        return self.create(wanted, old, request, difference.replaces)

    def to_delete_first(self, old: Resource) -> list[Resource]:
        """What has to go before a resource does, and is made again afterwards.

        That is what is declared to be replaced with it, and each dependent that must be replaced with it: those are
        asked with their old inputs, in which the values of what is replaced are unknown.
        """
        going = {old.urn: old}
        for resource in in_dependency_order(list(self.originals.values())):
            if resource.urn in self.deployment.seen or not resource.managed or resource.urn in self._deleted_first:
                continue
            unknown = [key for key, urns in resource.property_dependencies.items() if going.keys() & set(urns)]
            keys: tuple[str, ...] = ()
            if unknown and resource.urn not in self._asked:
                self._asked.add(resource.urn)
                inputs = {**resource.inputs, **dict.fromkeys(unknown, UNKNOWN)}
                keys = self.deployment.diff(resource, inputs, resource.provider_urn).replaces
            if keys or old.urn in resource.replace_with:
                going[resource.urn] = resource
                self._deleted_first[resource.urn] = keys
        return [resource for resource in going.values() if resource is not old]


def with_value_of(known: Properties, path: list[str], inputs: Properties) -> Properties:
    """Inputs where a path, the names from the top down, has its known value; what was not there is not there."""
    name, *rest = path
    old, new = known.get(name), inputs.get(name)
    if rest and isinstance(old, dict) and isinstance(new, dict):
        return {**inputs, name: with_value_of(old, rest, new)}
    if rest:
        return inputs
    kept = {key: value for key, value in inputs.items() if key != name}
    return {**kept, name: known[name]} if name in known else kept


def seconds(duration: str) -> float:
    """A Go duration such as `90s`, `15m` or `1h30m`, in seconds."""
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)([hms])", duration))
