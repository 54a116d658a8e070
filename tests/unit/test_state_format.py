"""What is written into state must be found again by every later version."""

from __future__ import annotations

import base64
import importlib
import pkgutil
from collections.abc import Iterator

import dill
import pytest

import xtsync_resources
from xtsync_resources import state
from xtsync_resources.pulumi_runtime.provider import TenantResourceProvider, from_engine
from xtsync_resources.pulumi_runtime.tenant_resource import TenantResource

# Stacks in the world hold these: a line may come, none may change or go.
TYPES = {
    "IdentitySyncPolicy": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKSWRlbnRpdHlTeW5jUG9saWN5Ci4=",
    "JobStart": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKSm9iU3RhcnQKLg==",
    "PartnerBaseline": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKUGFydG5lckJhc2VsaW5lCi4=",
    "PartnerPolicy": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKUGFydG5lclBvbGljeQou",
    "ProvisionOnDemand": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKUHJvdmlzaW9uT25EZW1hbmQKLg==",
    "SchemaBaseline": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKU2NoZW1hQmFzZWxpbmUKLg==",
    "ScopeRecord": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKU2NvcGVSZWNvcmQKLg==",
    "ServicePrincipal": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKU2VydmljZVByaW5jaXBhbAou",
    "SyncJob": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKU3luY0pvYgou",
    "SyncSchema": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKU3luY1NjaGVtYQou",
    "SyncScope": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKU3luY1Njb3BlCi4=",
    "SyncSecrets": "Y3h0c3luY19yZXNvdXJjZXMuc3RhdGUKU3luY1NlY3JldHMKLg==",
}


def classes() -> Iterator[type[TenantResource]]:
    for module in pkgutil.iter_modules(xtsync_resources.__path__):
        importlib.import_module(f"xtsync_resources.{module.name}")
    yield from TenantResource.__subclasses__()


def test_every_resource_has_a_name_in_the_state_and_every_name_a_resource() -> None:
    assert {one.__name__ for one in classes()} == set(state.PROVIDERS) == set(TYPES)


@pytest.mark.parametrize("name", state.PROVIDERS)
def test_a_name_in_the_state_leads_to_its_provider(name: str) -> None:
    text = state.reference(name)
    assert text == TYPES[name]
    provider = dill.loads(base64.b64decode(text))
    assert isinstance(provider, TenantResourceProvider)
    assert type(provider).__name__ == f"{name}Provider"
    assert state.type_token(name) == f"pulumi-python:dynamic/xtsync:{name}"


def test_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(AttributeError):
        dill.loads(base64.b64decode(state.reference("Brake")))


def test_what_the_engine_hands_over() -> None:
    found = from_engine({"a": [1.0, 1.5, True, None], "b": {"c": 2.0}})
    assert found == {"a": [1, 1.5, True, None], "b": {"c": 2}}
    assert [type(v) for v in (found["a"][0], found["a"][2], found["b"]["c"])] == [int, bool, int]


def test_the_order_in_which_the_engine_hands_members_over_is_no_ones() -> None:
    found = from_engine({"b": {"z": 1, "y": [{"q": 1, "p": 2}]}, "a": 3})
    assert list(found) == ["a", "b"]
    assert list(found["b"]) == ["y", "z"]
    assert list(found["b"]["y"][0]) == ["p", "q"]
