"""What happens when the program registers a resource: check, diff, and the step that follows from them."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from lab.engine.comparison import top_level
from lab.engine.deployment import Deployment, Difference, Stopped, new_provider_id, step_of
from lab.engine.hooks import KNOWN as KNOWN_HOOKS
from lab.engine.hooks import Hooks
from lab.engine.model import Step
from lab.engine.plugins import InitFailed, PluginError
from lab.engine.state import STACK_TYPE, Resource
from lab.engine.values import UNKNOWN, UNKNOWN_TEXT, Properties, from_struct, without_nulls

UNSUPPORTED = {
    "remote": "remote components",
    "importId": "import",
    "replaceOnChanges": "replace_on_changes",
    "replace_with": "replace_with",
    "transforms": "transforms",
    "state_migrations": "state migrations",
}


class Registrar:
    """Takes registrations; each runs in its caller's thread, dependencies are awaited by the SDK."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.preview = deployment.preview
        self.originals = dict(deployment.live)
        self._replaced_early: dict[str, Resource] = {}
        self._keys_of_early: dict[str, tuple[str, ...]] = {}
        self._asked: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._lock = threading.Lock()
        self.hooks = Hooks()
        self.root = ""

    def register(self, request: Any) -> Resource:
        """Make a resource as the program declares it.

        Raises:
            Stopped: it or something before it failed.
        """
        if self.deployment.stopped:
            raise Stopped
        urn = self.urn(request.type, request.name, request.parent)
        try:
            self.refuse_unsupported(request)
            with self._lock:
                if urn in self.deployment.seen:
                    raise PluginError(f"Duplicate resource URN '{urn}'; try giving it a unique name")  # noqa: TRY301
                self.deployment.seen.add(urn)
            wanted = self.declared(request, urn)
            old = self.find_old(request, urn)
            if not wanted.custom:
                return self.component(wanted, old)
            if wanted.is_provider:
                return self.provider(wanted, old)
            return self.custom(wanted, old, request)
        except PluginError as error:
            self.deployment.fail(str(error), urn)
            raise Stopped from None

    # --- reading the request -------------------------------------------------------------------------------

    def urn(self, type_: str, name: str, parent: str) -> str:
        """The URN of a resource below a parent."""
        project = self.deployment.project
        prefix = ""
        if parent:
            parent_type = parent.split("::")[2]
            if parent_type != STACK_TYPE:
                prefix = f"{parent_type}$"
        return f"urn:pulumi:{project.stack}::{project.name}::{prefix}{type_}::{name}"

    def refuse_unsupported(self, request: Any) -> None:
        """Refuse by name what this engine does not do.

        Raises:
            PluginError: naming the feature.
        """
        found = [words for name, words in UNSUPPORTED.items() if getattr(request, name)]
        for field, _ in request.hooks.ListFields():
            if field.name not in KNOWN_HOOKS:
                found.append(f"{field.name} hooks")
        if found:
            raise PluginError(f"the lab's engine does not support {' and '.join(found)}")
        package = request.type.split(":")[0]
        if request.custom and not request.provider and not request.type.startswith("pulumi:"):
            urn = self.urn(request.type, request.name, request.parent)
            disabled = self.deployment.project.disabled_default_providers()
            if package in disabled or "*" in disabled:
                raise PluginError(f"Default provider for '{package}' disabled. '{urn}' must use an explicit provider.")
            raise PluginError(f"the lab's engine does not support default providers; '{urn}' needs an explicit one")

    def declared(self, request: Any, urn: str) -> Resource:
        """The resource a request declares."""
        inputs = from_struct(request.object)
        if request.envVarMappings:
            inputs["__internal"] = {"envVarMappings": dict(request.envVarMappings)}
        timeouts = request.customTimeouts
        return Resource(
            urn,
            request.type,
            request.custom,
            inputs=inputs,
            parent=request.parent or (self.root if urn != self.root else ""),
            provider=request.provider,
            dependencies=sorted(set(request.dependencies)),
            property_dependencies={key: sorted(set(value.urns)) for key, value in request.propertyDependencies.items()},
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            deleted_with=request.deletedWith,
            additional_secret_outputs=list(request.additionalSecretOutputs),
            ignore_changes=list(request.ignoreChanges),
            custom_timeouts={
                name: seconds(getattr(timeouts, name))
                for name in ("create", "update", "delete")
                if getattr(timeouts, name)
            },
        )

    def find_old(self, request: Any, urn: str) -> Resource | None:
        """What the state has for a resource, under its URN or an alias."""
        for candidate in (urn, *self.aliases(request, urn)):
            old = self.originals.get(candidate)
            if old is not None:
                if candidate != urn:
                    self._rename(candidate, urn)
                return old
        return None

    def aliases(self, request: Any, urn: str) -> list[str]:
        """Other URNs a resource may have had: its own aliases, and those its parent had."""
        found = list(request.aliasURNs)
        parents = [request.parent, *(old for old, new in self._renamed.items() if new == request.parent)]
        for alias in request.aliases:
            if alias.urn:
                found.append(alias.urn)
                continue
            spec = alias.spec
            name, type_ = spec.name or request.name, spec.type or request.type
            of = [""] if spec.noParent else [spec.parentUrn] if spec.parentUrn else parents
            found += [self.urn(type_, name, parent) for parent in of]
        found += [self.urn(request.type, request.name, parent) for parent in parents[1:]]
        return [candidate for candidate in found if candidate != urn]

    def _rename(self, old_urn: str, urn: str) -> None:
        """Carry a renamed resource over, here and in what depends on it."""
        deployment = self.deployment
        with self._lock:
            self._renamed[old_urn] = urn
            resource = deployment.live.pop(old_urn, None)
            if resource is not None:
                deployment.live[urn] = replace(resource, urn=urn)
            for other in deployment.live.values():
                other.parent = urn if other.parent == old_urn else other.parent
                other.provider = other.provider.replace(f"{old_urn}::", f"{urn}::")
                other.dependencies = [urn if d == old_urn else d for d in other.dependencies]
                other.property_dependencies = {
                    key: [urn if d == old_urn else d for d in urns] for key, urns in other.property_dependencies.items()
                }

    # --- kinds of resources --------------------------------------------------------------------------------

    def component(self, wanted: Resource, old: Resource | None) -> Resource:
        """A component: nothing to call."""
        wanted = replace(wanted, outputs=old.outputs if old else {})
        step = step_of("same" if old else "create", wanted, 1, old=old)
        self.deployment.run_step(step, lambda: self._kept(wanted, step))
        return wanted

    def provider(self, wanted: Resource, old: Resource | None) -> Resource:
        """An explicit provider: its process starts when something needs it."""
        wanted = replace(wanted, inputs=without_nulls(wanted.inputs))
        outputs = {key: value for key, value in wanted.inputs.items() if key != "__internal"}
        if old is None:
            op, id_ = "create", UNKNOWN_TEXT if self.preview else new_provider_id()
        else:
            op, id_ = "same" if old.inputs == wanted.inputs else "update", old.id
        wanted = replace(wanted, id=id_, outputs=outputs)
        step = step_of(op, replace(wanted, id="[unknown]" if id_ == UNKNOWN_TEXT else id_), 1, old=old)
        self.deployment.run_step(step, lambda: self._kept(wanted, step))
        return wanted

    def _kept(self, resource: Resource, step: Step) -> Step:
        self.deployment.put(resource)
        return step

    def custom(self, wanted: Resource, old: Resource | None, request: Any) -> Resource:
        """A resource of a provider."""
        given = wanted.inputs
        early = self._replaced_early.get(wanted.urn)
        known_before = None if early else old
        checked = self.deployment.check(wanted, known_before.inputs if known_before else {}, given)
        wanted = replace(wanted, inputs=self.keep_ignored(wanted, old, checked))
        if early is not None:
            return self.create(wanted, early, request, self._keys_of_early[wanted.urn])
        if old is None:
            return self.create(wanted, None, request)
        difference = self.deployment.diff(
            replace(old, ignore_changes=wanted.ignore_changes), wanted.inputs, wanted.provider_urn
        )
        if difference.replaces:
            return self.replace(wanted, old, given, difference, request)
        if difference.changed or old.init_errors:
            return self.update(wanted, old, difference)
        wanted = replace(wanted, id=old.id, outputs=old.outputs, init_errors=[])
        step = step_of("same", wanted, 1, old=old)
        self.deployment.run_step(step, lambda: self._kept(wanted, step))
        return wanted

    @staticmethod
    def keep_ignored(wanted: Resource, old: Resource | None, inputs: Properties) -> Properties:
        """Old values for top-level keys whose changes are ignored."""
        if old is None:
            return inputs
        return {**inputs, **{key: old.inputs[key] for key in wanted.ignore_changes if key in old.inputs}}

    # --- steps ---------------------------------------------------------------------------------------------

    def create(self, wanted: Resource, replaced: Resource | None, request: Any, keys: tuple[str, ...] = ()) -> Resource:
        """Create it, anew or in the place of another."""
        deployment = self.deployment
        op = "create-replacement" if replaced else "create"
        made = [wanted]

        def act() -> Step:
            if self.preview:
                made[0] = replace(wanted, outputs=wanted.inputs)
                self._take_place(made[0])
                return step_of(op, made[0], 1, old=replaced, keys=keys)
            plugin = deployment.plugin(wanted.provider_urn)
            try:
                answer = deployment.pending(
                    wanted,
                    "creating",
                    lambda: self.hooks.creating(
                        wanted,
                        request.hooks,
                        lambda: plugin.call(
                            "Create",
                            urn=wanted.urn,
                            properties=wanted.inputs,
                            timeout=wanted.custom_timeouts.get("create", 0),
                        ),
                    ),
                )
            except InitFailed as failed:
                half = replace(wanted, id=failed.id, init_errors=failed.reasons)
                half.outputs = {k: v for k, v in failed.properties.items() if v is not None}
                self._take_place(half)
                raise
            made[0] = replace(wanted, id=answer.id, outputs=deployment.outputs(answer.properties, wanted))
            self._take_place(made[0])
            self.hooks.created(made[0], request.hooks)
            return step_of(op, made[0], 1, old=replaced, keys=keys)

        step = step_of(op, wanted, 1, old=replaced, keys=keys)
        deployment.run_step(step, act)
        return made[0]

    def _take_place(self, resource: Resource) -> None:
        """Put a new resource into the state; an old one of its URN is to be deleted later."""
        old = self.deployment.live.get(resource.urn)
        if old is not None and old.id != resource.id:
            self.deployment.doomed.append(replace(old, delete=True))
        self.deployment.put(resource)

    def update(self, wanted: Resource, old: Resource, difference: Difference) -> Resource:
        """Change it in place."""
        deployment = self.deployment
        changed = {"diffs": top_level(difference.detail), "detailed_diff": difference.detail}
        wanted = replace(wanted, id=old.id)
        made = [wanted]

        def act() -> Step:
            if self.preview:
                made[0] = replace(wanted, outputs=wanted.inputs)
                return step_of("update", made[0], 1, old=old, **changed)
            plugin = deployment.plugin(wanted.provider_urn)
            try:
                answer = deployment.pending(
                    wanted,
                    "updating",
                    lambda: plugin.call(
                        "Update",
                        id=old.id,
                        urn=wanted.urn,
                        olds=old.outputs,
                        news=wanted.inputs,
                        old_inputs=old.inputs,
                        timeout=wanted.custom_timeouts.get("update", 0),
                    ),
                )
            except InitFailed as failed:
                half = replace(wanted, inputs=old.inputs, init_errors=failed.reasons)
                half.outputs = {k: v for k, v in failed.properties.items() if v is not None}
                deployment.put(half)
                raise
            made[0] = replace(wanted, outputs=deployment.outputs(answer.properties, wanted))
            deployment.put(made[0])
            return step_of("update", made[0], 1, old=old, **changed)

        step = step_of("update", wanted, 1, old=old, **changed)
        deployment.run_step(step, act)
        return made[0]

    def replace(
        self, wanted: Resource, old: Resource, given: Properties, difference: Difference, request: Any
    ) -> Resource:
        """Put another in its place: the new one first, or the old one's deletion first."""
        deployment = self.deployment
        if old.protect and wanted.protect:
            raise PluginError(
                f'unable to replace resource "{old.urn}"\nas it is currently marked for protection. Remove `protect` '
                "from the resource in the program and run `up` first"
            )
        wanted = replace(wanted, inputs=deployment.check(wanted, {}, given))
        first = request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else difference.delete_before_replace
        if first:
            for resource in self.to_delete_first(old):
                deployment.delete(resource, 1)
        return self.create(wanted, old, request, difference.replaces)

    def to_delete_first(self, old: Resource) -> list[Resource]:
        """A resource and the dependents that must be replaced with it, dependents first.

        Each dependent is asked with its old inputs in which the values of what is replaced are unknown.
        """
        doomed = {old.urn: old}
        changed = True
        while changed:
            changed = False
            for resource in list(self.originals.values()):
                if resource.urn in doomed or resource.urn not in self.deployment.live or not resource.custom:
                    continue
                keys = [k for k, urns in resource.property_dependencies.items() if set(urns) & set(doomed)]
                if not keys or resource.urn in self._asked:
                    continue
                self._asked.add(resource.urn)
                inputs = {**resource.inputs, **dict.fromkeys(keys, UNKNOWN)}
                difference = self.deployment.diff(resource, inputs, resource.provider_urn)
                if difference.replaces:
                    doomed[resource.urn] = resource
                    self._replaced_early[resource.urn] = resource
                    self._keys_of_early[resource.urn] = difference.replaces
                    changed = True
        return list(reversed(doomed.values()))


def seconds(duration: str) -> float:
    """A Go duration such as `90s`, `15m` or `1h30m`, in seconds."""
    total, number = 0.0, ""
    for character in duration:
        if character.isdigit() or character == ".":
            number += character
        else:
            total += float(number) * {"h": 3600, "m": 60, "s": 1}[character]
            number = ""
    return total
