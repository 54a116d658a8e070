"""What is written into state must be found again by every later version."""

from __future__ import annotations

import base64
from typing import Any

import dill
import pytest

from xtsync_resources import (
    ending,
    identity_sync_policy,
    job_start,
    partner_baseline,
    partner_policy,
    provision_on_demand,
    schema_baseline,
    service_principal,
    sync_job,
    sync_schema,
    sync_secrets,
)
from xtsync_resources.lifecycle import reference, whole_numbers

PINNED = [
    (partner_baseline.PartnerBaseline, partner_baseline.BASELINE, "partner_baseline", "BASELINE"),
    (partner_policy.PartnerPolicy, partner_policy.PARTNER_POLICY, "partner_policy", "PARTNER_POLICY"),
    (identity_sync_policy.IdentitySyncPolicy, identity_sync_policy.IDENTITY_SYNC_POLICY,
     "identity_sync_policy", "IDENTITY_SYNC_POLICY"),
    (service_principal.ServicePrincipal, service_principal.SERVICE_PRINCIPAL, "service_principal", "SERVICE_PRINCIPAL"),
    (sync_job.SyncJob, sync_job.SYNC_JOB, "sync_job", "SYNC_JOB"),
    (sync_secrets.SyncSecrets, sync_secrets.SYNC_SECRETS, "sync_secrets", "SYNC_SECRETS"),
    (schema_baseline.SchemaBaseline, schema_baseline.SCHEMA_BASELINE, "schema_baseline", "SCHEMA_BASELINE"),
    (sync_schema.SyncSchema, sync_schema.SYNC_SCHEMA, "sync_schema", "SYNC_SCHEMA"),
    (ending.Ending, ending.ENDING, "ending", "ENDING"),
    (provision_on_demand.ProvisionOnDemand, provision_on_demand.PROVISION_ON_DEMAND,
     "provision_on_demand", "PROVISION_ON_DEMAND"),
    (job_start.JobStart, job_start.JOB_START, "job_start", "JOB_START"),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "provider", "module", "attribute"), PINNED)
def test_the_reference_imports_the_provider(resource: Any, provider: Any, module: str, attribute: str) -> None:
    text = reference(*resource.provider_reference)
    assert dill.loads(base64.b64decode(text)) is provider
    assert base64.b64decode(text) == f"cxtsync_resources.{module}\n{attribute}\n.".encode()


def test_one_reference_to_the_letter() -> None:
    assert reference("sync_job", "SYNC_JOB") == "Y3h0c3luY19yZXNvdXJjZXMuc3luY19qb2IKU1lOQ19KT0IKLg=="


def test_whole_numbers() -> None:
    found = whole_numbers({"a": [1.0, 1.5, True, None], "b": {"c": 2.0}})
    assert found == {"a": [1, 1.5, True, None], "b": {"c": 2}}
    assert [type(v) for v in (found["a"][0], found["a"][2], found["b"]["c"])] == [int, bool, int]
