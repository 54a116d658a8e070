"""What a pair is compared with: what azuread alone does for it, dynamic resources that do nothing, or both."""

import os
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

config = pulumi.Config()


class Trivial(ResourceProvider):
    """It remembers what it is given."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Do nothing."""
        return CreateResult("trivial", props)


class Nothing(Resource):
    """A resource that is nothing."""


def nothings(count: int) -> None:
    """Resources that do nothing, in two providers, as a pair has them."""
    homes = [pulumi.ProviderResource("pulumi-python", side, {}) for side in ("source", "target")]
    for number in range(count):
        home = pulumi.ResourceOptions(provider=homes[number % 2])
        Nothing(Trivial(), f"resource-{number}", {"number": number}, home)


def application(template: str) -> None:
    """An application and whoever is assigned to it, by azuread alone."""
    import pulumi_azuread as azuread

    source = azuread.Provider(
        "source",
        tenant_id=config.require("tenantId"),
        client_id=config.require("clientId"),
        client_secret=pulumi.Output.secret(os.environ["XTSYNC_SOURCE_CLIENT_SECRET"]),
        metadata_host=config.require("metadataHost"),
    )
    options = pulumi.ResourceOptions(provider=source)
    made = azuread.ApplicationFromTemplate(
        "application", display_name="azuread only", template_id=template, opts=options
    )
    names, read = config.require_object("users"), pulumi.InvokeOptions(provider=source)
    # Nobody is looked up where nobody is to be assigned: the role is known only once the application is there.
    for person in azuread.get_users(user_principal_names=names, opts=read).users if names else []:
        azuread.AppRoleAssignment(
            f"user-{person.object_id.partition('-')[0]}",
            app_role_id=config.require("roleId"),
            principal_object_id=person.object_id,
            resource_object_id=made.service_principal_object_id,
            opts=options,
        )


if template := config.get("templateId"):
    application(template)
if count := config.get_int("nothings"):
    nothings(count)
