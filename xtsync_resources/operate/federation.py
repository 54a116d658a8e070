"""Federated credentials: a pipeline signs in without any secret. Pure: nothing is called.

Sources: https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments
and https://learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..config import GUID
from ..graph.clouds import CLOUDS
from ..graph.errors import ConfigurationError

GITHUB = "https://token.actions.githubusercontent.com"
AZURE_DEVOPS = "https://vstoken.dev.azure.com"
# Of the name of a credential, which no other of its application has:
# https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
LONGEST_NAME = 120


@dataclass(frozen=True)
class Federation:
    """Whose tokens are taken for the application's own."""

    name: str
    issuer: str
    subject: str
    audience: str

    def __str__(self) -> str:
        return whose(self.issuer, self.subject)

    def body(self) -> dict[str, object]:
        """To Graph: a `federatedIdentityCredential`."""
        return {"name": self.name, "issuer": self.issuer, "subject": self.subject, "audiences": [self.audience]}


def whose(issuer: object, subject: object) -> str:
    """Whose tokens, in words."""
    return f"Whoever gets a token from {issuer} for {subject}"


def is_listed(issuer: object, subject: object, listed: Iterable[str]) -> bool:
    """Whether tokens are those of a federation on a list, as `parse` takes them; what is none lists nothing."""
    for text in listed:
        try:
            allowed = parse(text)
        except ConfigurationError:
            continue
        if (issuer, subject) == (allowed.issuer, allowed.subject):
            return True
    return False


def parse(text: str, cloud: str = "public") -> Federation:
    """Understand whose tokens are meant.

    `github:OWNER/REPOSITORY:environment:NAME`, `github:OWNER/REPOSITORY:ref:refs/heads/main` or
    `azure-devops:ORGANIZATION-ID:ORGANIZATION/PROJECT/SERVICE-CONNECTION`.

    Args:
        text: as typed.
        cloud: the name of the cloud the application is in.

    Raises:
        ConfigurationError: it is none of these.
    """
    kind, _, rest = text.partition(":")
    audience = CLOUDS[cloud].token_audience
    if kind == "github" and (found := re.fullmatch(r"([\w.-]+/[\w.-]+):((environment:[^:]+)|(ref:refs/\S+))", rest)):
        subject = f"repo:{found[1]}:{found[2]}"
        return Federation(name_of("github", rest), GITHUB, subject, audience)
    organization, _, connection = rest.partition(":")
    if kind == "azure-devops" and GUID.fullmatch(organization) and re.fullmatch(r"[^/]+/[^/]+/[^/]+", connection):
        issuer = f"{AZURE_DEVOPS}/{organization.lower()}"
        return Federation(name_of("azure-devops", connection), issuer, f"sc://{connection}", audience)
    raise ConfigurationError(
        f"Cannot understand the federation {text}",
        "it has another form than the known ones",
        "give github:OWNER/REPOSITORY:environment:NAME, github:OWNER/REPOSITORY:ref:refs/heads/BRANCH or "
        "azure-devops:ORGANIZATION-ID:ORGANIZATION/PROJECT/SERVICE-CONNECTION",
    )


def name_of(kind: str, whose_: str) -> str:
    """What the credential is called: an application has one for each environment, and no two of a name."""
    return re.sub("[^A-Za-z0-9]+", "-", f"xtsync {kind} {whose_}")[:LONGEST_NAME].strip("-")
