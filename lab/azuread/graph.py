"""Microsoft Graph as the resources and lookups need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from lab.azuread.exceptions import GraphError
from lab.azuread.http import Answer, Deadline, Http, Retry
from lab.azuread.sign_in import Endpoints, Tokens

NOT_FOUND = 404
Entity = dict[str, Any]


class Graph:
    """Signed-in calls to one tenant."""

    def __init__(self, http: Http, endpoints: Endpoints, tokens: Tokens, tenant_id: str, client_id: str) -> None:
        self.http = http
        self.tokens = tokens
        self.tenant_id = tenant_id
        self.client_id = client_id
        self._base = endpoints.graph

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        version: str = "v1.0",
        retry: Retry | None = None,
        deadline: Deadline | None = None,
    ) -> Any:
        """Call and give the body of a success.

        Raises:
            GraphError: any other answer, or none.
        """
        url = f"{self._base}/{version}{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="$,")
        return self._send(method, url, body, retry, deadline).body

    def _send(self, method: str, url: str, body: Any, retry: Retry | None, deadline: Deadline | None) -> Answer:
        answer = self.http.call(method, url, token=self.tokens.current(), json=body, retry=retry, deadline=deadline)
        if not answer.ok:
            raise GraphError(answer.complaint(), answer.status)
        return answer

    def find(self, path: str, *, version: str = "v1.0") -> Entity | None:
        """GET one object; nothing if it is not there.

        Raises:
            GraphError: any other failure.
        """
        try:
            entity = self.call("GET", path, version=version)
        except GraphError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return entity if isinstance(entity, dict) else {}

    def list(self, path: str, *, version: str = "v1.0", **query: str) -> list[Entity]:
        """GET a collection with all its pages; the query without dollar signs.

        Raises:
            GraphError: it failed.
        """
        parameters = {f"${name}": value for name, value in query.items()}
        return list(self._pages(self.call("GET", path, query=parameters, version=version)))

    def _pages(self, page: Any) -> Iterator[Entity]:
        while True:
            if not isinstance(page, dict) or not isinstance(page.get("value"), list):
                raise GraphError("Bad API Response: API returned nil result")
            yield from page["value"]
            following = page.get("@odata.nextLink")
            if not following:
                return
            page = self._send("GET", following, None, None, None).body


def quoted(text: str) -> str:
    """Text as an OData literal."""
    return "'" + text.replace("'", "''") + "'"
