"""The sign-in application of one tenant, with exactly the permissions a pair needs there: step 1 of the how-to.

Run it once for each tenant, as an administrator who may consent (`az login --tenant ...`): see README.md.
"""

import sys
from pathlib import Path

import pulumi
import pulumi_azuread as azuread

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from xtsync_resources.operate import federation
from xtsync_resources.operate.needs import GRAPH, needs_of

config = pulumi.Config()
side, name = config.require("side"), config.get("name") or "tenant"
if side not in ("source", "target"):
    raise pulumi.RunError(f"xtsync-bootstrap:side = {side!r}: not a choice. Choose source or target.")
wanted = [need for need in needs_of(side) if not need.optional or config.get_bool("logs")]

graph = azuread.get_service_principal(client_id=GRAPH)
application = azuread.Application(
    "application",
    display_name=f"xtsync {side} ({name})",
    sign_in_audience="AzureADMyOrg",
    required_resource_accesses=[
        azuread.ApplicationRequiredResourceAccessArgs(
            resource_app_id=GRAPH,
            resource_accesses=[
                azuread.ApplicationRequiredResourceAccessResourceAccessArgs(id=need.role_id, type="Role")
                for need in wanted
            ],
        )
    ],
)
principal = azuread.ServicePrincipal("principal", client_id=application.client_id)
for need in wanted:  # assigning a role of Graph to the principal is the administrator's consent
    azuread.AppRoleAssignment(
        need.permission,
        app_role_id=need.role_id,
        principal_object_id=principal.object_id,
        resource_object_id=graph.object_id,
    )
if federate := config.get("federate"):
    trusted = federation.parse(federate)
    azuread.ApplicationFederatedIdentityCredential(
        "federation",
        application_id=application.id,
        display_name=trusted.name,
        issuer=trusted.issuer,
        subject=trusted.subject,
        audiences=[federation.AUDIENCE],
    )
if config.get_bool("password"):
    password = azuread.ApplicationPassword("password", application_id=application.id, display_name="xtsync")
    pulumi.export("clientSecret", pulumi.Output.secret(password.value))
pulumi.export("clientId", application.client_id)
