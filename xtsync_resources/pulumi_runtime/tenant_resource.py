"""What every resource of ours shares on the program's side: a home tenant, and how it reaches the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from .. import records
from ..state import reference, type_token
from .half_made import UNSEEN
from .provider import HOME, PREVIEW

NO_OPTIONS = pulumi.ResourceOptions()


@dataclass(frozen=True)
class Home:
    """Where a resource lives: the tenant, its explicit provider, and the component it belongs to with its name.

    `unseen` has what was kept of resources of which the last run did not see the end of a change, by whole name.
    """

    tenant_id: str
    provider: pulumi.ProviderResource
    parent: pulumi.Resource
    component: str
    unseen: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def options(self, depends_on: Sequence[pulumi.Resource], more: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        """Resource options that can lead nowhere else.

        A replacement that is asked for makes the new one first unless told otherwise. Then what is there already
        would be adopted, and its deletion follow: nothing would be left.
        """
        home = pulumi.ResourceOptions(
            parent=self.parent, provider=self.provider, depends_on=list(depends_on), delete_before_replace=True
        )
        return pulumi.ResourceOptions.merge(home, more)


class TenantResource(pulumi.CustomResource):
    """A dynamic resource. Its class has one of the names of `state.py`, which stays."""

    def __init__(
        self,
        name: str,
        home: Home,
        inputs: Mapping[str, Any],
        computed: Sequence[str] = (),
        depends_on: Sequence[pulumi.Resource] = (),
        options: pulumi.ResourceOptions = NO_OPTIONS,
    ) -> None:
        """Declare it.

        Args:
            name: the resource's name, behind that of the component.
            home: the tenant it lives in.
            inputs: its arguments, in Graph's names.
            computed: attributes that are outputs and not inputs.
            depends_on: what must be finished before.
            options: what else the engine is to know, such as what this is replaced with.
        """
        properties = {
            **{self.translate_output_property(key): value for key, value in inputs.items()},
            self.translate_output_property(HOME): home.tenant_id,
            PREVIEW: pulumi.runtime.is_dry_run(),
            **({UNSEEN: records.text(kept)} if (kept := home.unseen.get(f"{home.component}-{name}")) else {}),
            **dict.fromkeys(computed),
            "__provider": reference(type(self).__name__),
        }
        token = type_token(type(self).__name__)
        super().__init__(token, f"{home.component}-{name}", properties, home.options(depends_on, options))

    def translate_output_property(self, prop: str) -> str:
        """From the engine's name to the attribute's: `jobState` -> `job_state`."""
        if not prop.isidentifier():  # the SDK asks for keys inside of values too, such as people's names
            return prop
        return re.sub(r"(?<=[a-z])([A-Z])", lambda m: f"_{m[1].lower()}", prop)

    def translate_input_property(self, prop: str) -> str:
        """From the attribute's name to the engine's: `job_state` -> `jobState`."""
        if not prop.isidentifier():
            return prop
        return re.sub(r"(?<=[a-z])_([a-z])", lambda m: m[1].upper(), prop)
