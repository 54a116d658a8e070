"""Where a federated token comes from: a file, or the pipeline that runs us. Pure, and light enough for the program.

Sources: https://docs.github.com/actions/reference/security/oidc,
https://learn.microsoft.com/azure/devops/pipelines/build/variables and
https://learn.microsoft.com/azure/aks/workload-identity-overview
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from urllib.parse import parse_qsl, urlencode, urlsplit

GITHUB_URL, GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
AZURE_DEVOPS_URL, AZURE_DEVOPS_TOKEN = "SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN"
WORKLOAD_FILE = "AZURE_FEDERATED_TOKEN_FILE"
AZURE_DEVOPS_VERSION = "7.1"


class Origin(Enum):
    """Where a token comes from, with the variables it needs in the environment."""

    FILE = ()
    AZURE_DEVOPS = (AZURE_DEVOPS_URL, AZURE_DEVOPS_TOKEN)
    GITHUB = (GITHUB_URL, GITHUB_TOKEN)
    WORKLOAD = (WORKLOAD_FILE,)
    NOWHERE = (f"{GITHUB_URL} and {GITHUB_TOKEN} (GitHub Actions) or {WORKLOAD_FILE}",)


# What makes the variables appear.
HINTS: Mapping[Origin, str] = {
    Origin.AZURE_DEVOPS: "in an Azure DevOps pipeline, give the step `SYSTEM_ACCESSTOKEN: $(System.AccessToken)`",
    Origin.GITHUB: "give the GitHub job `permissions: id-token: write`",
    Origin.NOWHERE: "run in a GitHub job with `permissions: id-token: write`, or set xtsync:{side}.tokenFile to a "
    "file with a token, or xtsync:{side}.serviceConnectionId in an Azure DevOps pipeline",
}


def origin_of(token_file: str, service_connection_id: str, environment: Mapping[str, str]) -> Origin:
    """Choose: what is configured goes before what the environment offers.

    Args:
        token_file: as configured, or "".
        service_connection_id: as configured, or "".
        environment: the environment.
    """
    if token_file:
        return Origin.FILE
    if service_connection_id:
        return Origin.AZURE_DEVOPS
    if not missing(Origin.GITHUB, environment):
        return Origin.GITHUB
    if environment.get(WORKLOAD_FILE):
        return Origin.WORKLOAD
    return Origin.GITHUB if any(environment.get(name) for name in Origin.GITHUB.value) else Origin.NOWHERE


def missing(origin: Origin, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variables an origin needs that are not set."""
    return tuple(name for name in origin.value if not environment.get(name))


def with_query(url: str, **wanted: str) -> str:
    """A URL with parameters added; what it has already stays.

    Raises:
        ValueError: it is not https: the request carries a credential.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("it is not https")
    given = parse_qsl(parts.query, keep_blank_values=True)
    names = {name for name, value in given if value}
    added = [(name, value) for name, value in wanted.items() if name not in names]
    kept = [(name, value) for name, value in given if value or name not in wanted]
    return parts._replace(query=urlencode(kept + added)).geturl()


def asks_for_audience(url: str) -> bool:
    """Whether a GitHub request URL names the audience itself."""
    return any(name == "audience" and value for name, value in parse_qsl(urlsplit(url).query))
