"""An application and whoever is assigned to it, by azuread alone."""

import pulumi
import pulumi_azuread as azuread

config = pulumi.Config()
names = config.require_object("users")
source = azuread.Provider(
    "source",
    tenant_id=config.require("tenantId"),
    client_id=config.require("clientId"),
    client_secret=config.require_secret("clientSecret"),
    metadata_host=config.require("metadataHost"),
)
options = pulumi.ResourceOptions(provider=source)
application = azuread.ApplicationFromTemplate(
    "application", display_name="azuread only", template_id=config.require("templateId"), opts=options
)
# Nobody is looked up where nobody is to be assigned: the role is known only once the application is there.
people = (
    azuread.get_users(user_principal_names=names, opts=pulumi.InvokeOptions(provider=source)).users if names else []
)
for person in people:
    azuread.AppRoleAssignment(
        f"user-{person.object_id.partition('-')[0]}",
        app_role_id=config.require("roleId"),
        principal_object_id=person.object_id,
        resource_object_id=application.service_principal_object_id,
        opts=options,
    )
