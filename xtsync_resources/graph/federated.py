"""Getting a federated token, anew each time: it lives for minutes, and is exchanged for a token of the tenant.

Sources: https://docs.github.com/actions/reference/security/oidc and
https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from ..redaction import know
from . import json_reader
from .assertions import read_token
from .clock import Clock
from .errors import SignInError, TenantName
from .files import FileError
from .outside import ask
from .secret_origin import SecretError, in_header
from .token_origin import (
    AZURE_DEVOPS_TOKEN,
    AZURE_DEVOPS_URL,
    AZURE_DEVOPS_VERSION,
    GITHUB_TOKEN,
    GITHUB_URL,
    HINTS,
    WORKLOAD_FILE,
    Origin,
    missing,
    origin_of,
    with_query,
)
from .transport import Request, Transport, TransportError


@dataclass(frozen=True)
class FederatedTokens:
    """The federated tokens that stand for an application in one tenant.

    Attributes:
        tenant: names it in messages.
        token_file: as configured, or "".
        service_connection_id: of Azure DevOps, as configured, or "".
        audience: whom a token must be for, in this cloud.
        environment: read at call time: a pipeline's values change from job to job.
        transport: how to ask.
        clock: to wait between attempts.
    """

    tenant: TenantName
    token_file: str
    service_connection_id: str
    audience: str
    environment: Mapping[str, str]
    transport: Transport
    clock: Clock

    def current(self) -> str:
        """A token that is good now.

        Raises:
            SignInError: there is none to be had here, and why.
        """
        origin = origin_of(self.token_file, self.service_connection_id, self.environment)
        if lacking := missing(origin, self.environment):
            raise self._failure(f"{' and '.join(lacking)} not set", HINTS.get(origin, "").format(side=self.tenant.side))
        if origin is Origin.FILE:
            return self._from_file(self.token_file, f"xtsync:{self.tenant.side}.tokenFile")
        if origin is Origin.WORKLOAD:
            return self._from_file(self.environment[WORKLOAD_FILE], WORKLOAD_FILE)
        return self._from_azure_devops() if origin is Origin.AZURE_DEVOPS else self._from_github()

    def _failure(self, why: str, do: str) -> SignInError:
        return SignInError(f"Failed to sign in to {self.tenant}", f"there is no federated token: {why}", do)

    def _from_file(self, path: str, named_by: str) -> str:
        try:
            return know(read_token(path))
        except FileError as error:
            why, do = f"{path} {error}", f"check {named_by}, and what writes the file; nothing of it was sent"
            raise self._failure(why, do) from None

    def _from_github(self) -> str:
        """Call: GET the job's request URL, with the audience of this cloud unless the URL names one."""
        return self._asked("GET", GITHUB_URL, GITHUB_TOKEN, "value", HINTS[Origin.GITHUB], audience=self.audience)

    def _from_azure_devops(self) -> str:
        """Call: POST the pipeline's request URL, for the service connection."""
        do = (
            f"check xtsync:{self.tenant.side}.serviceConnectionId, that the pipeline may use the connection, and "
            "`SYSTEM_ACCESSTOKEN: $(System.AccessToken)`"
        )
        query = {"api-version": AZURE_DEVOPS_VERSION, "serviceConnectionId": self.service_connection_id}
        return self._asked("POST", AZURE_DEVOPS_URL, AZURE_DEVOPS_TOKEN, "oidcToken", do, **query)

    def _asked(self, method: str, url: str, bearer: str, member: str, do: str, **query: str) -> str:
        """Ask a pipeline's token service; the answer is never shown, it may hold a token."""
        try:
            secret = know(in_header(bearer, self.environment))
        except SecretError as error:
            raise self._failure(error.why, error.do) from None
        headers = {
            "Authorization": f"Bearer {secret}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-TFS-FedAuthRedirect": "Suppress",  # a refusal of Azure DevOps, instead of its sign-in page
        }
        try:
            request = Request(method, with_query(self.environment[url], **query), headers)
            answer = ask(self.transport, self.clock, request)
        except ValueError:
            why = f"{url}: it is not an https URL, and the request for a token carries a credential"
            raise self._failure(why, f"check {url}") from None
        except TransportError as error:
            raise self._failure(f"{url} cannot be reached: {error}", "check the network and proxy") from None
        if answer.status != 200:
            raise self._failure(f"{url} answered {answer.status}", do)
        token = None
        with contextlib.suppress(ValueError):
            token = json_reader.read(answer.body).get(member)
        if not isinstance(token, str) or not token:
            raise self._failure(f"{url} answered without one", do)
        return know(token)
