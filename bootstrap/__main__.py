"""The sign-in application of one tenant, with exactly the permissions a pair needs there: step 1 of the how-to.

Run it once for each tenant, as an administrator who may consent (`az login --tenant ...`): see README.md.
"""

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pulumi
import pulumi_azuread as azuread

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from xtsync_resources import namespace
from xtsync_resources.config import GUID, SIDES, Problems, check_namespaces
from xtsync_resources.config.keys import decoded, key, keys_of, read_keys
from xtsync_resources.config.kinds import Boolean, Choice, Guid, Names, Text
from xtsync_resources.config.problems import Problem
from xtsync_resources.graph.clouds import CLOUDS, Cloud
from xtsync_resources.graph.errors import ConfigurationError
from xtsync_resources.operate import federation
from xtsync_resources.operate.needs import GRAPH, Need, needs_of
from xtsync_resources.operate.project_file import enter_project
from xtsync_resources.pulumi_runtime import messages
from xtsync_resources.untrusted import gate_output


class OneOrMore(Names):
    """A list of names, or a single one."""

    def read(self, problems: Problems, where: str, value: Any) -> tuple[str, ...]:
        """In their order."""
        return super().read(problems, where, [value] if isinstance(value, str) else value)


FEDERATIONS = OneOrMore("whose tokens are taken, as text", bool)


@dataclass(frozen=True)
class Configured:
    """The keys of this program's configuration; README.md explains them."""

    tenant_id: str = key(Guid(), "the tenant the application is made in")
    side: str = key(Choice.of(*SIDES), "which of the pair it is", default="source")
    name: str = key(Text(), "of the tenant, in the application's name", default="", shown="the tenant id")
    cloud: Cloud = key(Choice(CLOUDS), "the cloud it is in", default=CLOUDS["public"], shown="public")
    users: bool = key(Boolean(), "there are users in scope", default=True)
    groups: bool = key(Boolean(), "there are groups in scope", default=True)
    adopt: bool = key(Boolean(), "somebody else made the configuration application", default=False)
    logs: bool = key(Boolean(), "provisioning logs are read", default=False)
    federate: tuple[str, ...] = key(FEDERATIONS, "whose tokens are taken", default=(), shown="nobody's")
    password: bool = key(Boolean(), "make a client secret", default=False)
    password_until: str = key(Text(), "the day it ends", default="")


@dataclass(frozen=True)
class Settings:
    """What to make."""

    side: str
    tenant_id: str
    name: str
    cloud: Cloud
    needs: tuple[Need, ...]
    federations: tuple[federation.Federation, ...]
    password_until: str


def parse(values: Mapping[str, str], found: Iterable[Problem] = ()) -> Settings:
    """Turn raw values into settings.

    Raises:
        ConfigurationProblems: with every problem found.
    """
    problems = Problems(pulumi.get_project(), found)
    read = read_keys(Configured, problems, decoded(Configured, values))
    settings = Settings(
        side=read.side,
        tenant_id=read.tenant_id,
        name=read.name or read.tenant_id,
        cloud=read.cloud,
        needs=tuple(
            need
            for need in needs_of(read.side, users=read.users, groups=read.groups, adopt=read.adopt)
            if read.logs or not need.optional
        ),
        federations=tuple(read_federations(problems, read.federate, read.cloud)),
        password_until=read_end(problems, read.password_until, read.password),
    )
    problems.stop()
    return settings


def read_federations(problems: Problems, texts: Iterable[str], cloud: Cloud) -> Iterator[federation.Federation]:
    """Whose tokens are taken."""
    for text in texts:
        try:
            yield federation.parse(text, cloud.name)
        except ConfigurationError as error:
            problems.add("federate", text, error.why, error.do[:1].upper() + error.do[1:])


def read_end(problems: Problems, text: str, password: bool) -> str:
    """When the client secret ends, as Graph takes it; "" for no secret."""
    if not password:
        if text:
            problems.add("passwordUntil", text, "there is no client secret", "Set password: true, or remove it")
        return ""
    try:
        return f"{date.fromisoformat(text)}T00:00:00Z"
    except ValueError:
        do = "Give the day the client secret ends, as 2027-12-31: a later day makes a new one"
        problems.add("passwordUntil", text or None, "not a day" if text else "missing", do)
        return ""


def declare(settings: Settings) -> None:
    """Declare the application, its consent, and how it proves itself."""
    # With the tenant said, a sign-in to another one is refused instead of used.
    provider = azuread.Provider(
        "tenant",
        tenant_id=settings.tenant_id,
        environment=settings.cloud.azuread_environment,
        metadata_host="",  # absent, azuread takes ARM_METADATA_HOSTNAME, and signs in where that says
    )
    here = pulumi.ResourceOptions(provider=provider)
    graph = graph_in(settings, provider)
    application = azuread.Application(
        "application",
        display_name=f"xtsync {settings.side} ({settings.name})",
        sign_in_audience="AzureADMyOrg",
        required_resource_accesses=[
            azuread.ApplicationRequiredResourceAccessArgs(
                resource_app_id=GRAPH,
                resource_accesses=[
                    azuread.ApplicationRequiredResourceAccessResourceAccessArgs(id=need.role_id, type="Role")
                    for need in settings.needs
                ],
            )
        ],
        opts=here,
    )
    principal = azuread.ServicePrincipal("principal", client_id=application.client_id, opts=here)
    for need in settings.needs:  # assigning a role of Graph to the principal is the administrator's consent
        azuread.AppRoleAssignment(
            need.permission,
            app_role_id=need.role_id,
            principal_object_id=principal.object_id,
            resource_object_id=graph,
            opts=here,
        )
    for trusted in settings.federations:
        messages.info(
            f"{trusted} can sign in to the tenant {settings.tenant_id} as this application, without a secret: check "
            "that this is your pipeline"
        )
        azuread.ApplicationFederatedIdentityCredential(
            trusted.name,
            application_id=application.id,
            display_name=trusted.name,
            issuer=trusted.issuer,
            subject=trusted.subject,
            audiences=[trusted.audience],
            # An application has no two for the same tokens, so the former goes first.
            opts=pulumi.ResourceOptions(
                provider=provider,
                delete_before_replace=True,
                # A stack of before has a single one, of this name.
                aliases=[pulumi.Alias(name="federation")] if trusted == settings.federations[0] else [],
            ),
        )
    if settings.password_until:
        password = azuread.ApplicationPassword(
            "password",
            application_id=application.id,
            display_name="xtsync",
            end_date=settings.password_until,
            opts=here,
        )
        pulumi.export("clientSecret", pulumi.Output.secret(password.value))
        pulumi.export("clientSecretEnds", settings.password_until)
    pulumi.export("clientId", application.client_id)
    pulumi.export("tenantId", settings.tenant_id)
    pulumi.export("stackFile", application.client_id.apply(lambda client_id: stack_file(settings, client_id)))


def graph_in(settings: Settings, provider: azuread.Provider) -> str:
    """The object id of Microsoft Graph in the tenant; the first that azuread is asked, before anything is made.

    Raises:
        Stopped: azuread cannot sign in, or may not read it.
    """
    try:
        found = azuread.get_service_principal(client_id=GRAPH, opts=pulumi.InvokeOptions(provider=provider))
    except Exception as error:  # the SDK raises no narrower one
        raise messages.Stopped(
            f"Cannot read who Microsoft Graph is in the tenant {settings.tenant_id}; nothing was changed.",
            f"Why: {error}",
            f"Do: run `az login --tenant {settings.tenant_id} --allow-no-subscriptions` as somebody who may consent "
            "(Privileged Role Administrator), and run this again.",
        ) from None
    return str(found.object_id)


def stack_file(settings: Settings, client_id: str) -> str:
    """The lines for the stack file of the pair.

    Raises:
        ConfigurationError: the client id that was answered is none, and would be lines of its own in the file.
    """
    if not GUID.fullmatch(client_id):
        why = "what was answered as its client id is no GUID"
        raise ConfigurationError("Cannot write the lines for the stack file", why, "run the command again")
    lines = [
        f"{namespace.full(settings.side)}:",
        f"  tenantId: {settings.tenant_id}",
        f"  name: {json.dumps(settings.name, ensure_ascii=False)}",
    ]
    if settings.federations and not settings.password_until:
        lines += [f"  clientId: {client_id}", "  auth: oidc"]
        if settings.federations[0].issuer.startswith(federation.AZURE_DEVOPS):
            lines += [
                "  serviceConnectionId: CHANGE-ME  # the resourceId in the address of the service connection's page"
            ]
    else:
        lines += [f"  clientId: {client_id}", "  auth: secret"]
    return "\n".join(lines)


# When a resource fails, the engine interrupts the program; 32 means "the error was shown already".
signal.signal(signal.SIGINT, lambda *_: os._exit(32))
gate_output()
enter_project(Path(__file__).resolve().parents[1])
own = pulumi.get_project()
given: Mapping[str, str] = json.loads(os.environ.get("PULUMI_CONFIG", "{}"))
encrypted = json.loads(os.environ.get("PULUMI_CONFIG_SECRET_KEYS", "[]"))
files = (Path(f"Pulumi.{pulumi.get_stack()}.yaml"),)
strays, problems = check_namespaces(given, encrypted, own, tuple(keys_of(Configured)), files=files)
values = {key.removeprefix(f"{own}:"): value for key, value in given.items() if key.startswith(f"{own}:")}
values |= {one.name: given[one.key] for one in strays}
declare(parse(values, problems))
