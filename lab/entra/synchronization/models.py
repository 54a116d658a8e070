"""Synchronization state of one service principal: secrets, jobs and their state machine."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from lab.entra.context import Context, new_id
from lab.entra.synchronization.exceptions import job_missing

TEMPLATE = "Azure2Azure"
INTERVAL = timedelta(minutes=40)
DEFAULT_DELETE_THRESHOLD = 500
_SECRET_KEYS = """
    None UserName Password SecretToken AppKey BaseAddress ClientIdentifier ClientSecret SingleSignOnType Sandbox
    Url Domain ConsumerKey ConsumerSecret TokenKey TokenExpiration Oauth2AccessToken
    Oauth2AccessTokenCreationTime Oauth2RefreshToken SyncAll InstanceName Oauth2ClientId Oauth2ClientSecret
    CompanyId UpdateKeyOnSoftDelete SynchronizationSchedule SystemOfRecord SandboxName EnforceDomain
    SyncNotificationSettings SkipOutOfScopeDeletions Oauth2AuthorizationCode Oauth2RedirectUri
    ApplicationTemplateIdentifier Oauth2TokenExchangeUri Oauth2AuthorizationUri AuthenticationType Server
    PerformInboundEntitlementGrants HardDeletesEnabled SyncAgentCompatibilityKey SyncAgentADContainer
    ValidateDomain TestReferences ConnectionString
"""
_MASKED_KEYS = """
    Password SecretToken AppKey ClientSecret ConsumerSecret TokenKey Oauth2AccessToken Oauth2RefreshToken
    Oauth2ClientSecret Oauth2AuthorizationCode SyncAgentCompatibilityKey ConnectionString
"""
SECRET_KEYS = frozenset(_SECRET_KEYS.split())
MASKED_KEYS = frozenset(_MASKED_KEYS.split())


@dataclass
class Quarantine:
    """Why and since when a job is held back."""

    reason: str | None
    code: str
    message: str
    began: datetime
    next_attempt: datetime
    count: int = 1


@dataclass
class Execution:
    """One finished cycle."""

    began: datetime
    ended: datetime
    state: Literal["Succeeded", "Failed", "EntryLevelErrors"]
    identifier: str
    imported: int = 0
    exported: int = 0
    entitled: int = 0
    escrowed: int = 0
    error_code: str = "None"
    error_message: str = ""


@dataclass
class Job:
    """A synchronization job.

    `exported` is what each object in its care looked like when last written. `everybody` is the scope the job
    works with: it narrows from everybody to the assigned only by a restart.
    """

    id: str
    schema: dict[str, Any]
    schedule_state: Literal["Active", "Disabled", "Paused"] = "Disabled"
    status_code: Literal["NotRun", "Active", "Paused", "Quarantine"] = "Paused"
    started: bool = False
    next_cycle: datetime | None = None
    last_execution: Execution | None = None
    last_success: Execution | None = None
    last_success_with_exports: Execution | None = None
    steady_first: datetime | None = None
    steady_last: datetime | None = None
    quarantine: Quarantine | None = None
    failures_in_a_row: int = 0
    exported: dict[str, dict[str, Any]] = field(default_factory=dict)
    exported_groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    force_deletes: bool = False
    everybody: bool | None = None
    starts_while_running: int = 0
    just_started: bool = False


@dataclass
class Synchronization:
    """What hangs off a service principal."""

    secrets: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)

    def everybody(self) -> bool:
        """Whether the scope is the whole tenant rather than the assigned."""
        return self.secrets.get("SyncAll", "false").lower() == "true"

    def delete_threshold(self) -> int | None:
        """Above how many deletions in one cycle they are held back; that is on where nothing is said."""
        settings = json.loads(self.secrets.get("SyncNotificationSettings") or "{}")
        if str(settings.get("DeleteThresholdEnabled", True)).lower() == "false":
            return None
        return int(settings.get("DeleteThresholdValue", DEFAULT_DELETE_THRESHOLD))


class SynchronizationBackend:
    """The rules by which secrets and jobs change."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def put_secrets(self, principal_id: str, state: Synchronization, pairs: Mapping[str, str]) -> None:
        """PUT secrets: an empty value removes a key."""
        self._context.replica.before_write("secrets", principal_id, state.secrets)
        kept = state.secrets if self._context.settings.secrets_put == "merge" else {}
        state.secrets = {key: value for key, value in {**kept, **pairs}.items() if value}

    def secrets(self, principal_id: str, state: Synchronization) -> dict[str, str]:
        """The secrets as a reader finds them, in clear."""
        return self._context.replica.see("secrets", principal_id, state.secrets) or {}

    def create_job(self, state: Synchronization, schema: dict[str, Any]) -> Job:
        """POST jobs: nothing prevents a second one."""
        job_id = f"{TEMPLATE}.{self._context.tenant_id.replace('-', '')}.{new_id()}"
        job = Job(job_id, schema)
        self._context.replica.before_write("jobs", job_id, None)
        state.jobs[job_id] = job
        return job

    def job(self, state: Synchronization, job_id: str) -> Job:
        """A job to be changed."""
        if job_id not in state.jobs:
            raise job_missing(job_id)
        return state.jobs[job_id]

    def read_job(self, state: Synchronization, job_id: str) -> Job:
        """A job as a reader finds it."""
        job = self._context.replica.see("jobs", job_id, state.jobs.get(job_id))
        if job is None:
            raise job_missing(job_id)
        return job

    def read_jobs(self, state: Synchronization) -> list[Job]:
        """The jobs of a service principal as a reader finds them."""
        seen = [self._context.replica.see("jobs", key, job) for key, job in state.jobs.items()]
        return [job for job in seen if job is not None]

    def delete_job(self, state: Synchronization, job_id: str) -> None:
        """Drop a job and its memory; the people it made stay in the target."""
        self._before_write(self.job(state, job_id))
        del state.jobs[job_id]

    def start(self, job: Job) -> None:
        """Run from now on, and out of quarantine; starting a running job is counted as misuse."""
        self._before_write(job)
        if job.schedule_state == "Active" and not job.quarantine:
            job.starts_while_running += 1
            return
        job.schedule_state, job.status_code = "Active", "Active" if job.steady_first else "NotRun"
        job.quarantine, job.failures_in_a_row, job.started, job.just_started = None, 0, True, True
        job.next_cycle = self._soon()

    def pause(self, job: Job) -> None:
        """Stop running and keep the memory."""
        self._before_write(job)
        job.schedule_state, job.status_code, job.next_cycle = "Paused", "Paused", None

    def restart(self, job: Job, scopes: frozenset[str]) -> None:
        """Look at everything again; an empty set of scopes is the portal's restart."""
        self._before_write(job)
        scopes = scopes or frozenset({"QuarantineState", "Watermark", "Escrows"})
        job.everybody = None
        if scopes & {"Watermark", "Full"}:
            self._forget_watermark(job)
        if scopes & {"QuarantineState", "Full"}:
            job.quarantine = None
        job.force_deletes = job.force_deletes or "ForceDeletes" in scopes
        if job.force_deletes:
            job.quarantine = None
        if job.schedule_state == "Active":
            job.status_code, job.next_cycle = "NotRun", self._soon()

    def put_schema(self, job: Job, schema: dict[str, Any]) -> None:
        """Take a new schema; everything is looked at again."""
        self._before_write(job)
        job.schema = copy.deepcopy(schema)
        self._forget_watermark(job)

    @staticmethod
    def _forget_watermark(job: Job) -> None:
        job.exported = {key: {} for key in job.exported}
        job.exported_groups = {key: {} for key in job.exported_groups}

    def _soon(self) -> datetime:
        return self._context.now() + timedelta(seconds=self._context.settings.first_cycle_seconds)

    def _before_write(self, job: Job) -> None:
        self._context.replica.before_write("jobs", job.id, job)
