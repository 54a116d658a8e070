"""Around the application that azuread makes: a pair has one configuration, and azuread's errors are told in our words.

The look comes before an application is made, in a preview as well, and never where there is one already: a stack whose
application was imported, or whose pair lives, asks nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pulumi

from ..application import calls
from ..application.configurations import PairConfiguration, look, second_configuration
from ..application.orphans import APPLICATION_TYPE
from ..config import Settings
from ..pulumi_runtime import messages
from .audit_hooks import made_by_azuread, tried_by_azuread
from .azuread_errors import report_azuread_error
from .stack_state import Recorded, outputs_of

if TYPE_CHECKING:
    from ..graph.client import GraphClient

AZUREAD_WAITS = "azuread makes the configuration application, and waits until it is seen to be there: some 20 seconds"
ANOTHER = "another configuration synchronizes this pair, as xtsync:allowSecondConfiguration allows"


def application_hooks(
    name: str, settings: Settings, client: GraphClient, state: Iterable[Recorded]
) -> pulumi.ResourceHookBinding:
    """The hooks of a pair's application.

    Args:
        name: the component's name, which hooks of other pairs do not have.
        settings: the stack's configuration.
        client: of the source.
        state: what the last run left.
    """
    # One that is replaced is no other's.
    ours = outputs_of(state, APPLICATION_TYPE, f"{name}-application")
    own = set() if ours is None else {str(ours.get("servicePrincipalObjectId"))}

    async def before(_: pulumi.ResourceHookArgs) -> None:
        found = await asyncio.to_thread(look_in_source, settings, client)
        if found:
            refuse_others(settings, found, own)

    def failed(arguments: pulumi.ErrorHookArgs) -> bool:
        tried_by_azuread(client, calls.AZUREAD_APPLICATION, arguments)
        report_azuread_error(arguments, calls.AZUREAD_APPLICATION, settings)
        return False

    def waits(_: pulumi.ResourceHookArgs) -> None:
        messages.status(AZUREAD_WAITS)

    # In a preview as well: what `up` would refuse is refused before.
    look_first = pulumi.ResourceHook(f"{name}-one-configuration", before, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceHookBinding(
        before_create=[look_first, pulumi.ResourceHook(f"{name}-application-waits", waits)],
        after_create=made_by_azuread(f"{name}-application-made", client, calls.AZUREAD_APPLICATION),
        on_error=[pulumi.ErrorHook(f"{name}-application-failed", failed)],
    )


def look_in_source(settings: Settings, client: GraphClient) -> list[PairConfiguration]:
    """Configurations of this pair in the source. Calls: see `configurations_into`."""
    return look(client.operation(60 * settings.deadline_minutes), settings.target.id, messages.warn)


def refuse_others(settings: Settings, found: list[PairConfiguration], own: set[str]) -> None:
    """Refuse to make a second configuration, unless it is asked for.

    Raises:
        RefusedError: there is one that is not this stack's.
    """
    others = [one for one in found if str(one.principal["id"]) not in own]
    if not others:
        return
    if not settings.allow_second_configuration:
        raise second_configuration(settings.source.full_name, settings.target.id, others)
    messages.warn(f"{ANOTHER}: {'; '.join(map(str, others))}")
