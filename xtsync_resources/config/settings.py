"""The keys of a stack's configuration, and the settings they become.

The keys are a public interface: docs/configuration.md, made from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..graph.clouds import CLOUDS, Cloud
from ..graph.errors import TenantName
from ..graph.hosts import HOST
from ..graph.sign_in import SignIn
from ..partner_policy.model import COLLABORATION, CONSENT, DIRECT_CONNECT, REDEMPTION, TRUST
from ..sync_schema.model import USER_TYPES
from ..sync_secrets.model import DEFAULT_THRESHOLD
from .b2b_keys import B2B
from .guardrail_keys import GUARDRAILS, Guardrails
from .keys import Object, key
from .kinds import ADDRESSES, GUID, Boolean, Choice, Flags, Guid, Names, Number, Pattern, Secret, Text
from .schema_keys import FILTERS, FLOW_TYPES, MAPPINGS, USER_TYPE, AttributeMapping, FilterGroup

SIGN_IN_KINDS = ("cli", "secret", "certificate", "oidc", "managedIdentity")
TRUST_KEYS = {
    "mfa": "isMfaAccepted",
    "compliantDevice": "isCompliantDeviceAccepted",
    "hybridJoinedDevice": "isHybridAzureADJoinedDeviceAccepted",
}


def is_user(text: str) -> bool:
    """Whether a text can be a user principal name or an object id."""
    return bool(GUID.fullmatch(text) or re.fullmatch(r"[^@\s]+@[^@\s]+", text))


USERS = Names("a user principal name (name@domain) or object id", is_user)
GROUPS = Names("a display name or object id", lambda text: bool(text.strip()))
RECIPIENTS = Pattern(
    ADDRESSES, "text", "not an e-mail address", "Give an address, as name@domain, or several with commas between"
)
HOST_NAME = Pattern(HOST, "host[:port]", "not a host name", "Give HOST or HOST:PORT, without https:// and path")


@dataclass(frozen=True)
class Tenant:
    """One side of the pair and how to sign in to it."""

    id: str = key(Guid(), "the tenant; the two must differ", name="tenantId")
    name: str = key(Text(), "shown in display names and messages", default="", shown="the tenant id")
    client_id: str = key(
        Guid(), "the application (or user-assigned identity) that signs in; not with `auth: cli`", default=""
    )
    auth: str = key(
        Choice.of(*SIGN_IN_KINDS),
        "how to sign in. See [signing in](#signing-in)",
        default="cli",
    )
    certificate_path: str = key(Text(), "`auth: certificate`: the file with certificate and key", default="")
    token_file: str = key(Text(), "`auth: oidc`: a file with a federated token", default="")
    service_connection_id: str = key(Text(), "`auth: oidc` in Azure DevOps: the service connection", default="")
    side: str = ""

    @property
    def full_name(self) -> TenantName:
        """How messages name it."""
        return TenantName(self.side, self.name, self.id)


@dataclass(frozen=True)
class Settings:
    """The whole configuration of a pair."""

    source: Tenant = key(Object(Tenant, "an object with tenantId"), "the tenant whose people are synchronized")
    target: Tenant = key(Object(Tenant, "an object with tenantId"), "the tenant they appear in")
    # Outputs in the program: stack secrets, where a user prefers that to the environment, which wins.
    source_client_secret: Any = key(Secret(), "alternative to the environment (below)", default=None)
    target_client_secret: Any = key(Secret(), "alternative to the environment (below)", default=None)
    # The source's as the program itself can use it, to sign in; a function, so that nothing shows it.
    source_stack_secret: Callable[[], str] = field(default=str, repr=False, compare=False)
    cloud: Cloud = key(Choice(CLOUDS), "the cloud both tenants are in", default=CLOUDS["public"], shown="public")
    metadata_host: str = key(
        HOST_NAME,
        "take login and Graph endpoints from `https://HOST/metadata/endpoints` instead (private clouds, the lab). "
        "Counts only where `XTSYNC_METADATA_HOST` names the host as well. See [hosts](#hosts)",
        default="",
    )
    users: tuple[str, ...] = key(USERS, "who is in scope: user principal names or object ids", default=(), shown="none")
    groups: tuple[str, ...] = key(
        GROUPS,
        "whose direct members are in scope: display names or object ids. See [below](#groups)",
        default=(),
        shown="none",
    )
    display_name: str = key(
        Text(),
        "of the configuration application and the identity sync policy",
        default="",
        shown='"SOURCE to TARGET"',
    )
    sync_groups: bool = key(
        Boolean(),
        "also synchronize the assigned groups themselves (beta; the source needs Entra ID Governance or Entra Suite)",
        default=False,
    )
    inbound_trust: Mapping[str, bool] = key(
        Flags(TRUST_KEYS),
        "which claims of the source the target trusts. What is not named is not touched",
        default={},
        shown="absent",
    )
    b2b_collaboration: B2B = key(
        Object(B2B, "an object with inbound and outbound"),
        "whom the target lets in (`inbound`) and the source lets out (`outbound`) as guests, and to which "
        "applications. What is not named is not touched. See [below](#b2b-settings)",
        default=B2B(),
        shown="absent",
    )
    b2b_direct_connect: B2B = key(
        Object(B2B, "an object with inbound and outbound"),
        "the same for B2B direct connect (Teams shared channels)",
        default=B2B(),
        shown="absent",
    )
    user_type: str = key(
        Choice(USER_TYPES),
        "what people become in the target; absent leaves the job's own, which is `member`. See "
        "[mappings and filters](#mappings-and-filters)",
        default="",
    )
    attribute_mappings: tuple[AttributeMapping, ...] = key(
        MAPPINGS, "what attributes of people in the target are made from; what is not named is not touched", default=()
    )
    scoping_filters: tuple[FilterGroup, ...] | None = key(
        FILTERS, "who of those assigned is synchronized: all clauses of one group must hold", default=None
    )
    flow_types: tuple[str, ...] | None = key(
        FLOW_TYPES, "what the job may do with people; without `delete` nobody is ever removed", default=None
    )
    notify_email: str = key(
        RECIPIENTS, "who is told of provisioning failures; several with commas between", default="", shown="none"
    )
    deletion_threshold: int = key(
        Number(0),
        "hold back the deletions of a cycle that has as many of them or more; 0 turns that off",
        default=DEFAULT_THRESHOLD,
    )
    allow_deletions: int = key(
        Number(0),
        "how many people may leave the scope in one run although that is as many as `deletionThreshold` or more, and "
        "how many deletions that the job holds back a higher `deletionThreshold` may let go: the number that the "
        "refused preview names",
        default=0,
    )
    running: bool = key(Boolean(), "the job is started or paused", default=True)
    on_existing: str = key(Choice.of("adopt", "fail"), "take over a policy that exists, or refuse", default="adopt")
    on_destroy: str = key(
        Choice.of("release", "drain"),
        "at the end people stay in the target, or are removed first. `drain` is set in a run in which nobody leaves "
        "the scope. See [operations](operations.md#ending-a-pair)",
        default="release",
    )
    never_remove: tuple[str, ...] = key(
        Names("an entry of users or groups", lambda text: bool(text.strip()), "list of users and groups"),
        "who of `users` and `groups`, written as there, may never leave the scope: a preview that would take them out "
        "fails, and `drain` refuses. Whoever is in scope by a group only is protected with the group. Filters are not "
        "looked at: `xtsync doctor` names whom they exclude",
        default=(),
        shown="none",
    )
    foreign_assignments: str = key(
        Choice.of("report", "adopt", "remove"),
        "users and groups whom somebody has put in scope by hand are named; they stay (`report`), become this stack's "
        "and leave with it (`adopt`), or are taken out (`remove`). See "
        "[operations](operations.md#somebody-was-put-in-scope-by-hand)",
        default="report",
    )
    allow_second_configuration: bool = key(
        Boolean(),
        "let a pair have two configurations. Then `destroy` leaves the policies that they share. See "
        "[operations](operations.md#a-second-configuration)",
        default=False,
    )
    provision_on_demand: tuple[str, ...] = key(
        Names("a user principal name or object id", is_user, "list of users"),
        "provisioned once, at once, when the list is new or longer, and those who were skipped when the scope changes; "
        "the verdicts are the output "
        "`provisionedOnDemand`. A failure fails the `up`, and the next one tries again",
        default=(),
        shown="none",
    )
    deadline_minutes: float = key(
        Number(0.01, whole=False), "how long one operation may wait for the directory", default=15
    )
    guardrails: Guardrails = key(
        GUARDRAILS,
        "`allowedTenants`, `everyone`, `levels`: what a pair may be. See [guardrails](guardrails.md)",
        default=Guardrails(),
        shown="none",
    )

    @property
    def may_leave(self) -> int | None:
        """How many people may leave the scope in one run; None where the job deletes any number, or nobody."""
        limited = self.deletion_threshold and self.deletes
        return max(self.deletion_threshold - 1, self.allow_deletions) if limited else None

    @property
    def deletes(self) -> bool:
        """Whether the job removes whoever has left the scope."""
        return self.flow_types is None or "Delete" in self.flow_types

    def schema_inputs(self) -> dict[str, Any]:
        """The inputs of SyncSchema; {} where nothing of the schema is configured."""
        mapped = [mapping.inputs() for mapping in self.attribute_mappings]
        if self.user_type:
            mapped.append({"target": USER_TYPE, "constant": self.user_type})
        filters, flows = self.scoping_filters, self.flow_types
        order = ("Add", "Update", "Delete")
        found: dict[str, Any] = {
            "attributeMappings": mapped or None,
            "scopingFilters": None if filters is None else [group.inputs() for group in filters],
            "flowTypes": None if flows is None else [flow for flow in order if flow in flows],
            "syncGroups": True if self.sync_groups else None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def sign_in(self, tenant: Tenant) -> SignIn:
        """How to sign in to one of the two tenants."""
        return SignIn(
            tenant.full_name,
            tenant.auth,
            tenant.client_id,
            self.cloud.name,
            self.metadata_host,
            tenant.certificate_path,
            tenant.token_file,
            tenant.service_connection_id,
        )

    def partner_policy(self, side: str) -> dict[str, Any]:
        """What the partner policy of a side is to say, by Graph's names: redemption, trust, B2B settings."""
        kinds = {COLLABORATION[side]: self.b2b_collaboration, DIRECT_CONNECT[side]: self.b2b_direct_connect}
        trust = {TRUST: dict(self.inbound_trust)} if side == "target" and self.inbound_trust else {}
        b2b = {name: setting.side(side) for name, setting in kinds.items() if setting.side(side)}
        return {CONSENT: {REDEMPTION[side]: True}, **trust, **b2b}

    def client_secret(self, side: str) -> Any:
        """The stack's secret for a side; None where there is none."""
        return getattr(self, f"{side}_client_secret")
