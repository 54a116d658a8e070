"""TenantPair: the component that a pair is to Pulumi, and what is seen to before any resource of it is declared."""

from __future__ import annotations

import os
from typing import Any

import pulumi

from .config import Settings
from .program import enforce_guardrails, providers, stack_state
from .pulumi_runtime import forgotten


class TenantPair(pulumi.ComponentResource):
    """People of the source appear as B2B members in the target and are kept in step.

    Args:
        name: the component's name; part of every URN.
        settings: the stack's configuration.
        opts: for the component, such as aliases after renaming it.

    Attributes:
        outputs: what the stack exports.
    """

    outputs: dict[str, pulumi.Input[Any]]

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        forgotten.refuse_in_program(os.environ)
        enforce_guardrails.enforce(settings)
        stack_state.announce()
        super().__init__("xtsync:index:TenantPair", name, None, opts)
        tenants = providers.declare(name, settings, self)
        # Loaded here, while the engine starts the processes of the tenants and the program signs in: azuread's
        # classes are what takes longest of all that the program loads.
        from .pair import PairResources  # noqa: PLC0415

        self.outputs = PairResources(name, settings, self, tenants).outputs
        self.register_outputs({})
