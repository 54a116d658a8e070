"""Dynamic resources that do nothing, in two providers, as a pair has them."""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class Trivial(ResourceProvider):
    """It remembers what it is given."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Do nothing."""
        return CreateResult("trivial", props)


class Nothing(Resource):
    """A resource that is nothing."""


homes = [pulumi.ProviderResource("pulumi-python", side, {}) for side in ("source", "target")]
for number in range(pulumi.Config().require_int("count")):
    home = pulumi.ResourceOptions(provider=homes[number % 2])
    Nothing(Trivial(), f"resource-{number}", {"number": number}, home)
