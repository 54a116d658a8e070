"""What Graph cannot change is replaced, the old one first; everything else is left for the engine to compare."""

from __future__ import annotations

import pytest

from xtsync_resources.graph.errors import TenantName
from xtsync_resources.graph.sign_in import SignIn
from xtsync_resources.identity_sync_policy.resource import IdentitySyncPolicyProvider
from xtsync_resources.partner_policy.resource import PartnerPolicyProvider
from xtsync_resources.pulumi_runtime import provider as runtime
from xtsync_resources.pulumi_runtime.provider import TenantResourceProvider
from xtsync_resources.sync_job.resource import SyncJobProvider
from xtsync_resources.sync_schema.resource import SyncSchemaProvider
from xtsync_resources.sync_scope.resource import SyncScopeProvider
from xtsync_resources.sync_scope.start import JobStartProvider
from xtsync_resources.sync_secrets.resource import SyncSecretsProvider

CASES = [
    (PartnerPolicyProvider, "tenantId", "automaticUserConsentSettings"),
    (IdentitySyncPolicyProvider, "tenantId", "displayName"),
    (SyncJobProvider, "templateId", "appRoleId"),
    (SyncSchemaProvider, "baseline", "flowTypes"),
    (SyncSecretsProvider, "servicePrincipalId", "settings"),
    (JobStartProvider, "jobId", "running"),
]


def made(kind: type[TenantResourceProvider]) -> TenantResourceProvider:
    provider = kind()
    name = TenantName("source", "Contoso", "a")
    provider.settings = runtime.ProviderSettings(SignIn(name, "cli"), "", 1, "adopt", "release")
    return provider


@pytest.mark.parametrize(("kind", "key", "other"), CASES)
def test_a_key_replaces_and_the_rest_updates(kind: type[TenantResourceProvider], key: str, other: str) -> None:
    olds = {key: "one", other: "same", "computed": "x"}
    replaced = made(kind).diff("id", olds, {key: "two", other: "same"})
    assert replaced.replaces == [key]
    assert replaced.delete_before_replace is True
    changed = made(kind).diff("id", olds, {key: "one", other: "different"})
    assert changed.changes is None, "the engine compares, so that people see key by key what differs"
    assert changed.replaces == []


def test_another_service_principal_or_job_only_updates_the_scope() -> None:
    olds = {"servicePrincipalId": "a", "jobId": "a", "appRoleId": "a"}
    changed = made(SyncScopeProvider).diff("id", olds, {"servicePrincipalId": "b", "jobId": "b", "appRoleId": "b"})
    assert (changed.changes, changed.replaces) == (None, [])
