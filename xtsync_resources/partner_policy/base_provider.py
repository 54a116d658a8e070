"""What the providers of the policies for a partner share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..graph.call import Call
from ..pulumi_runtime.provider import TenantResourceProvider
from . import calls


class PolicyProvider(TenantResourceProvider):
    """Base of the providers whose object belongs to one partner, by the partner's tenant id."""

    replace_keys = ("tenantId",)

    def liveness_call(self, properties: Mapping[str, Any]) -> Call:
        """A tenant that lets us in says what it has for the partner."""
        return calls.get_partner(str(properties["tenantId"]))
