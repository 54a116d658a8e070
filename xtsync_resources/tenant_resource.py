"""What every resource of ours shares on the program's side: a home tenant, and how it reaches the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi

from .lifecycle import HOME, reference


@dataclass(frozen=True)
class Home:
    """Where a resource lives: the tenant, its explicit provider, and the component it belongs to."""

    tenant_id: str
    provider: pulumi.ProviderResource
    parent: pulumi.Resource

    def options(self, depends_on: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        """Resource options that can lead nowhere else."""
        return pulumi.ResourceOptions(parent=self.parent, provider=self.provider, depends_on=list(depends_on))


class TenantResource(pulumi.CustomResource):
    """A dynamic resource. Its type token and `__provider` are part of the state format: never rename them."""

    # Module and attribute of the dynamic provider, below this package.
    provider_reference: ClassVar[tuple[str, str]]

    def __init__(
        self,
        name: str,
        home: Home,
        inputs: Mapping[str, Any],
        computed: Sequence[str] = (),
        depends_on: Sequence[pulumi.Resource] = (),
    ) -> None:
        """Declare it.

        Args:
            name: the resource's name.
            home: the tenant it lives in.
            inputs: its arguments, in Graph's names.
            computed: attributes that are outputs and not inputs.
            depends_on: what must be finished before.
        """
        properties = {
            **inputs,
            HOME: home.tenant_id,
            **dict.fromkeys(computed),
            "__provider": reference(*self.provider_reference),
        }
        token = f"pulumi-python:dynamic/xtsync:{type(self).__name__}"
        super().__init__(token, name, properties, home.options(depends_on))

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
