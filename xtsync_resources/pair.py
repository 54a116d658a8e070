"""The whole set-up of one ordered pair, source -> target, in order.

The order is by dependencies, never by waiting here. Destroying goes the other way round, and that is the
safety: the job is at rest before anybody is taken out of the scope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_azuread as azuread

from .application.orphans import APPLICATION_TEMPLATE
from .application.resource import ServicePrincipal
from .config import Settings
from .graph.errors import XtsyncError
from .identity_sync_policy.model import sync_values
from .identity_sync_policy.resource import IdentitySyncPolicy
from .on_demand.resource import ProvisionOnDemand
from .partner_policy.baseline import APPLICATION, IDENTITY_SYNC, PartnerBaseline
from .partner_policy.resource import PartnerPolicy
from .program import enforce_guardrails, stack_state
from .program.application_hooks import application_hooks
from .program.providers import Providers
from .pulumi_runtime import messages
from .pulumi_runtime.tenant_resource import Home
from .state import type_token
from .sync_job.found import remembered_beside
from .sync_job.resource import SyncJob
from .sync_schema.baseline import NOTHING_PLANNED, PLANNED, SchemaBaseline
from .sync_schema.resource import SyncSchema, what_changes_for_people
from .sync_scope import newcomers, principals
from .sync_scope.affected import Leaving
from .sync_scope.before_draining import DRAIN
from .sync_scope.cut_off import left_in_the_state
from .sync_scope.foreign_assignments import ADOPT, ADOPTED, Foreign
from .sync_scope.hooks import AssignmentHooks
from .sync_scope.record import ScopeRecord, describe
from .sync_scope.resource import SyncScope
from .sync_scope.start import JobStart, mark_of_interrupted_run
from .sync_secrets.model import settings_for
from .sync_secrets.operations import was_everybody
from .sync_secrets.resource import SyncSecrets

# What azuread reads of names, as people in the source chose them, comes past our gate for untrusted text: Pulumi is
# told not to show it, neither what is new (as if it were secret) nor what has changed. To hide changes alone is not
# enough: of a resource whose changes are all hidden it shows every old input.
NAMES = ["principalDisplayName", "resourceDisplayName"]
# The start, and what it comes after.
STARTED_LAST = (("JobStart", "start"), ("SyncScope", "scope"), ("SyncSchema", "schema"))


class PairResources:
    """The resources of a pair, below its component.

    Args:
        name: the component's.
        settings: the stack's configuration.
        component: what they belong to.
        tenants: the providers of the tenants, and what the program knows before it declares any resource.

    Attributes:
        outputs: what the stack exports.
    """

    def __init__(self, name: str, settings: Settings, component: pulumi.Resource, tenants: Providers) -> None:
        self._settings, self._component = settings, component
        self._client, self._state = tenants.client(), tenants.state
        unseen = stack_state.unseen_changes(self._state)
        self._source = Home(settings.source.id, tenants.source, component, name, unseen)
        self._target = Home(settings.target.id, tenants.target, component, name, unseen)
        # Before any resource is declared: an unknown name must stop the run while nothing has changed.
        enforce_guardrails.advise(settings, self._state)
        stack_state.report_interrupted_run(name, self._state, unseen)
        people = principals.look_up(settings, self._client, self._state)

        if unknown := principals.unrecorded(name, self._state, people):
            messages.warn(f"{', '.join(unknown)} {principals.UNRECORDED}")

        # Both tenants are looked at before anything is written in either; what is found may refuse the run.
        self._target_baseline = PartnerBaseline(
            "target-baseline",
            self._target,
            tenant_id=settings.source.id,
            planned={
                **settings.partner_policy("target"),
                IDENTITY_SYNC: sync_values(settings.display_name, settings.sync_groups),
            },
            groups=settings.sync_groups,
        )
        self._source_baseline = PartnerBaseline(
            "source-baseline",
            self._source,
            tenant_id=settings.target.id,
            planned={**settings.partner_policy("source"), APPLICATION: settings.display_name},
        )
        # The engine starts a process at a time: azuread's comes behind what need not wait for it. Nothing is written
        # before azuread is let in.
        self._azuread = tenants.azuread_provider()
        self._looked = [self._target_baseline, self._source_baseline, self._azuread]
        ids = {f"{one.kind} {one.name}": one.object_id for one in people.principals}
        policies = [self._allow_in_target(ids), self._allow_in_source()]
        application = self._configuration_application(name)
        self._id = application.service_principal_object_id
        service_principal = ServicePrincipal(
            "service-principal",
            self._source,
            service_principal_id=self._id,
            application_id=application.application_object_id,
            before=self._source_baseline.configurations,
        )
        role = service_principal.app_role_id
        job = SyncJob(
            "job",
            self._source,
            service_principal_id=self._id,
            app_role_id=role,
            target_tenant_id=settings.target.id,
            on_demand=bool(settings.provision_on_demand),
            made_by_hand=service_principal.made_by_hand,
            before=self._job_before(),
            depends_on=[service_principal, *policies],
        )
        secrets = SyncSecrets(
            "secrets",
            self._source,
            service_principal_id=self._id,
            settings=settings_for(settings.target.id, settings.notify_email, settings.deletion_threshold),
            found=job.found_settings,
            may_delete=settings.allow_deletions,
            before=self._before("SyncSecrets", "secrets"),
            depends_on=[job],
        )
        schema = self._schema(job, secrets)
        ready: list[pulumi.Resource] = [job, secrets, *schema]
        known = {
            "servicePrincipalId": self._id,
            "jobId": job.id,
            "appRoleId": role,
            "foundState": job.found_state,
            "foundPeople": job.found_people,
            "onDestroy": settings.on_destroy,
        }
        adopted = self._before("SyncScope", "scope").get(ADOPTED) or {}
        adopted = {name: object_id for name, object_id in adopted.items() if object_id not in ids.values()}
        foreign = Foreign(settings.foreign_assignments, adopted)
        protected = sorted(one.object_id for one in people.principals if one.name in settings.never_remove)
        record = ScopeRecord(
            "scope-record",
            self._source,
            never_remove=protected,
            job={**known, "foundCycle": job.found_cycle, "adopts": bool(foreign.adopted) or foreign.wanted == ADOPT},
            principals=list(ids.values()),
            anew=principals.to_assign_anew(name, self._state, people),
            depends_on=ready,
        )
        ready.append(record)
        # Filters and mappings are replaced under a job at rest: the scope goes first, which brings it there.
        options = pulumi.ResourceOptions(replace_with=list(schema))
        in_scope = SyncScope(
            "scope",
            self._source,
            job={**known, "targetTenantId": settings.target.id},
            principals=ids,
            never_remove=protected,
            foreign=foreign,
            leaving=Leaving(settings.may_leave, settings.deletes, settings.deletion_threshold),
            before=self._before("SyncScope", "scope"),
            cut_off=left_in_the_state(self._before("SyncJob", "job"), self._before("ScopeRecord", "scope-record")),
            skipped=people.skipped,
            depends_on=ready,
            options=options,
        )
        # Whatever takes the scope along takes the assignments along as well: else a run that is cut off in between
        # leaves assignments in the state that are gone in the tenant.
        with_scope = [*schema, in_scope]
        assignments = self._assign(name, people, in_scope, record, with_scope)
        start = JobStart(
            "start",
            self._source,
            service_principal_id=self._id,
            job_id=job.id,
            app_role_id=role,
            running=settings.running,
            principals=ids.values(),
            made=assignments,
            rested=pulumi.Output.concat(job.rested, *(one.rested for one in schema[1:])),
            unfinished=self._mark_of_interrupted_run(),
            filtered=bool(settings.scoping_filters),
            depends_on=[in_scope],
            options=pulumi.ResourceOptions(replace_with=with_scope),
        )
        on_demand = None
        if people.on_demand:
            on_demand = ProvisionOnDemand(
                "provision-on-demand",
                self._source,
                service_principal_id=self._id,
                job_id=job.id,
                users=people.on_demand,
                scope={
                    "users": sorted(one.object_id for one in people.principals if one.kind == "user"),
                    "groups": sorted(one.object_id for one in people.principals if one.kind == "group"),
                    "filters": [group.inputs() for group in settings.scoping_filters or ()],
                },
                depends_on=[start, *assignments],
            )
        self.outputs: dict[str, pulumi.Input[Any]] = {
            "jobId": job.id,
            "servicePrincipalId": self._id,
            "applicationId": application.application_object_id,
            "jobStatus": start.job_status,
            "jobState": start.job_state,
            "scope": {
                "users": len(settings.users),
                "groups": len(settings.groups),
                **({"people": in_scope.people} if settings.on_destroy == DRAIN else {}),
                **({"adopted": in_scope.adopted} if foreign.adopted or foreign.wanted == ADOPT else {}),
            },
            "onDestroy": in_scope.adopted.apply(
                lambda adopted: describe(settings.on_destroy, settings.users, settings.groups, list(adopted))
            ),
            "portalUrl": self._portal_url(service_principal),
            **({"provisionedOnDemand": on_demand.verdicts} if on_demand else {}),
        }

    def _allow_in_target(self, ids: Mapping[str, str]) -> pulumi.Resource:
        """Steps 2 and 3: the target lets the source's people in and redeems their invitations."""
        settings, source = self._settings, self._settings.source.id
        values = settings.partner_policy("target")
        partner = PartnerPolicy(
            "target-partner",
            self._target,
            tenant_id=source,
            settings=values,
            baseline=self._target_baseline,
            depends_on=self._looked,
        )
        return IdentitySyncPolicy(
            "target-identity-sync",
            self._target,
            tenant_id=source,
            display_name=settings.display_name,
            baseline=self._target_baseline,
            groups=settings.sync_groups,
            depends_on=[partner],
            newcomers=self._newcomers(ids) if pulumi.runtime.is_dry_run() else None,
        )

    def _newcomers(self, ids: Mapping[str, str]) -> dict[str, Any] | None:
        """Who comes into scope, for the target to look for accounts of theirs; what fails here stops no preview."""
        operation = self._client.operation(newcomers.SECONDS)
        try:
            found = newcomers.newcomers(operation, ids, self._before("SyncScope", "scope"))
        except XtsyncError as error:
            found = newcomers.Newcomers(unread=error.why)
        if not found.mails and not found.unread:
            return None
        return {"mails": found.mails, "unread": [found.unread] if found.unread else [], "leftOut": found.left_out}

    def _allow_in_source(self) -> pulumi.Resource:
        """Step 4: the source redeems invitations of its people to the target."""
        target, values = self._settings.target.id, self._settings.partner_policy("source")
        return PartnerPolicy(
            "source-partner",
            self._source,
            tenant_id=target,
            settings=values,
            baseline=self._source_baseline,
            depends_on=self._looked,
        )

    def _configuration_application(self, name: str) -> azuread.ApplicationFromTemplate:
        """Step 5: the instance of the gallery application that carries the configuration.

        azuread's delete fails where somebody has deleted it already; `ServicePrincipal` deletes it. Its name is given
        as if it were secret: Pulumi then shows no name that azuread reads either, as an input or as an output.
        """
        return azuread.ApplicationFromTemplate(
            f"{name}-application",
            display_name=pulumi.Output.secret(self._settings.display_name),
            template_id=APPLICATION_TEMPLATE,
            opts=self._with_azuread(
                depends_on=self._looked,
                retain_on_delete=True,
                hooks=application_hooks(name, self._settings, self._client, self._state),
            ),
        )

    def _schema(
        self, job: SyncJob, secrets: SyncSecrets
    ) -> tuple[()] | tuple[SchemaBaseline] | tuple[SchemaBaseline, SyncSchema]:
        """The job's schema, where anything of it is configured: before anybody is assigned.

        Where nothing is, and a run was killed while it wrote the schema for the first time, the record puts it back.
        """
        parts, known = self._settings.schema_inputs(), self._before("SyncSchema", "schema")
        if not parts:
            for text in what_changes_for_people(known, {}):
                messages.warn(text)
            if known or not self._before("SchemaBaseline", "schema-baseline"):
                return ()
        before = SchemaBaseline(
            "schema-baseline",
            self._source,
            service_principal_id=self._id,
            job_id=job.id,
            parts=parts,
            written=bool(known),
            depends_on=[secrets],
        )
        if not parts:
            return (before,)
        everybody = job.found_settings.apply(was_everybody)
        schema = SyncSchema(
            "schema",
            self._source,
            service_principal_id=self._id,
            job_id=job.id,
            parts=parts,
            baseline=before,
            everybody=everybody,
            own_job=self._before("SyncJob", "job").get("foundState") == "",
            depends_on=[secrets],
        )
        return before, schema

    def _before(self, kind: str, short: str) -> Mapping[str, Any]:
        """The outputs of a resource as the last run left them; empty where it is not in the state."""
        name = f"{self._source.component}-{short}"
        return stack_state.outputs_of(self._state, type_token(kind), name) or {}

    def _job_before(self) -> Mapping[str, Any]:
        """The outputs of the job as `_before` has them; of one that a refresh did not find, what others remember."""
        return self._before("SyncJob", "job") or remembered_beside(
            self._before("ScopeRecord", "scope-record"), self._before("SyncSecrets", "secrets")
        )

    def _mark_of_interrupted_run(self) -> str:
        """See `mark_of_interrupted_run`; a record of the schema alone was left by a run that was killed."""
        start, scope, schema = (self._before(kind, short) for kind, short in STARTED_LAST)
        planned = self._before("SchemaBaseline", "schema-baseline").get(PLANNED)
        killed = not schema and planned not in (None, NOTHING_PLANNED)
        return mark_of_interrupted_run(start, scope, {"rested": planned} if killed else schema)

    def _assign(
        self,
        name: str,
        people: principals.Scope,
        in_scope: SyncScope,
        record: ScopeRecord,
        replace_with: Sequence[pulumi.Resource],
    ) -> list[azuread.AppRoleAssignment]:
        """Step 9: put users and groups in scope. azuread makes the assignments; `SyncScope` takes people out.

        What they need comes from the scope alone, as everything that is named here is in the state once a person.
        """
        names = {one.object_id: one.name for one in people.principals}
        hooks = AssignmentHooks(name, self._settings, self._client, names).binding
        assignments = []
        for short, principal in people.by_name().items():
            options = self._with_azuread(
                depends_on=[in_scope],
                hide_diffs=NAMES,
                additional_secret_outputs=NAMES,
                retain_on_delete=True,
                delete_before_replace=True,
                replace_with=replace_with,
                replacement_trigger=record.trigger(principal.object_id),
                hooks=hooks,
            )
            assignments.append(
                azuread.AppRoleAssignment(
                    f"{name}-{short}",
                    app_role_id=in_scope.app_role_id,
                    principal_object_id=principal.object_id,
                    resource_object_id=in_scope.service_principal_id,
                    opts=options,
                )
            )
        return assignments

    def _portal_url(self, service_principal: ServicePrincipal) -> pulumi.Output[str]:
        settings = self._settings
        return pulumi.Output.concat(
            settings.cloud.portal,
            f"/{settings.source.id}#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/~/Overview/objectId/",
            self._id,
            "/appId/",
            service_principal.app_id,
        )

    def _with_azuread(self, **options: Any) -> pulumi.ResourceOptions:
        """The azuread provider waits for the directory by its own timeouts; they are ours here."""
        create = f"{int(60 * self._settings.deadline_minutes) or 1}s"
        return pulumi.ResourceOptions(
            parent=self._component,
            provider=self._azuread,
            custom_timeouts=pulumi.CustomTimeouts(create=create),
            **options,
        )
