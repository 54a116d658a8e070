"""Addresses outside Graph: metadata, discovery, keys, tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.entra.exceptions import no_route
from lab.entra.login import responses
from lab.entra.routing import Answer

if TYPE_CHECKING:
    from lab.entra.models import Entra

_TENANT = re.compile(r"/(?P<tenant>[^/]+)/(?P<rest>.+)$")
_METADATA = "/metadata/endpoints"
_METADATA_VERSION = "2022-09-01"


def answer(entra: Entra, host_url: str, method: str, path: str, form: Mapping[str, str]) -> Answer:
    """Answer a call outside Graph; `form` is query and body together."""
    if (method, path) == ("GET", _METADATA) and form.get("api-version") == _METADATA_VERSION:
        return Answer(200, responses.metadata(host_url))
    if (method, path) == ("GET", "/common/discovery/instance"):
        asked = form.get("authorization_endpoint", "").split("/")
        return Answer(200, responses.instance_discovery(host_url, asked[3] if len(asked) > 3 else "common"))
    found = _TENANT.match(path)
    tenant, rest = (found["tenant"], found["rest"]) if found else ("", "")
    if (method, rest) == ("GET", "v2.0/.well-known/openid-configuration"):
        return Answer(200, responses.openid_configuration(entra, host_url, tenant))
    if (method, rest) == ("GET", "discovery/v2.0/keys"):
        return Answer(200, responses.keys())
    if (method, rest) == ("POST", "oauth2/v2.0/token"):
        return Answer(200, responses.token(entra, host_url, tenant, form))
    raise no_route(method, path)
