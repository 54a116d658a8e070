"""The guardrails as a policy pack: `pulumi preview --policy-pack policy`.

The rules are those of xtsync_resources/guardrails/rules.py. One that a single resource can break is a resource policy,
so it is checked before that resource is made, also without a preview; the others are stack policies. Resources of
others are passed over, and nothing is concluded from what a preview does not know yet.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `pulumi install` installs no package of ours

from xtsync_resources import namespace
from xtsync_resources.graph.hosts import HOST
from xtsync_resources.graph.isolation import drop_foreign
from xtsync_resources.guardrails import rules as guardrails
from xtsync_resources.guardrails.pair_facts import PairFacts, Sayings
from xtsync_resources.guardrails.rules import AZUREAD, PROVIDER, Rule
from xtsync_resources.guardrails.stack_facts import PREFIX, Resource, facts_of_resources
from xtsync_resources.operate import federation
from xtsync_resources.untrusted import gate_output, one_line

drop_foreign("", os.environ)  # rules need nobody's credentials
namespace.use(os.environ.get("PULUMI_PROJECT"))
gate_output()

LEVELS = {guardrails.ADVISE: EnforcementLevel.ADVISORY, guardrails.STOP: EnforcementLevel.MANDATORY}
SEVERITIES = {guardrails.ADVISE: Severity.MEDIUM, guardrails.STOP: Severity.HIGH}
GUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
SCHEMAS: Mapping[str, dict[str, Any]] = {
    "allowedTenants": {
        "type": "array",
        "items": {"type": "string", "pattern": f"^{GUID}( *-> *{GUID})?$"},
        "description": "tenants that may be connected with each other, and pairs `SOURCE -> TARGET`, in this direction "
        "only; without it this is not checked",
    },
    "allowedHosts": {
        "type": "array",
        "items": {"type": "string", "pattern": f"^{HOST.pattern}$"},
        "description": "hosts that may say where credentials go, as HOST or HOST:PORT; the known clouds' always may",
    },
    "everyone": {"type": "boolean", "description": "everyone of the source may be in scope"},
}
# The inputs of our resources as they were registered, by URN: a preview may know nothing of the outputs.
REGISTERED: dict[str, Mapping[str, Any]] = {}


def known(value: Any) -> Any:
    """A value without the proxies around it; what is not known yet is None."""
    if isinstance(value, Mapping):
        return {key: known_item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [known_item(value, index) for index in range(len(value))]
    return value


def known_item(container: Any, key: Any) -> Any:
    """One item of a proxied object or list."""
    try:
        return known(container[key])
    except UnknownValueError:
        return None


def report(rule: Rule, facts: Sequence[PairFacts], report_violation: ReportViolation) -> None:
    """Report what breaks a rule."""
    for found in filter(None, map(rule.broken, facts)):
        report_violation(one_line(f"Found: {found}. Do: {rule.remedy}."), None)


def sayings(config: Mapping[str, Any]) -> Sayings:
    """What the policy's configuration says."""
    allowed = config.get("allowedTenants")
    return Sayings.of(
        None if allowed is None else [str(one) for one in allowed],
        config.get("everyone") is True,
        [str(one) for one in config.get("allowedHosts") or ()],
    )


def on_resource(rule: Rule) -> Policy:
    """A rule that a single resource can break."""

    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        if not args.resource_type.startswith((PREFIX, PROVIDER, AZUREAD)):
            return
        REGISTERED[args.urn] = known(args.props)
        if args.resource_type.removeprefix(PREFIX) not in rule.types:
            return
        config = args.get_config()
        if rule.says == "allowedTenants" and config.get("allowedTenants") is None:
            args.not_applicable("allowedTenants is not configured for this policy")
        resources: list[Resource] = [(args.resource_type, REGISTERED[args.urn])]
        if args.provider is not None:  # it knows what people call the tenant
            resources.append((args.provider.resource_type, known(args.provider.props)))
        report(rule, facts_of_resources(resources, sayings(config), whole=False), report_violation)

    return ResourceValidationPolicy(validate=validate, **describe(rule))


def on_stack(rule: Rule) -> Policy:
    """A rule that takes the resources of a stack together."""

    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        resources = [(one.resource_type, properties(one.urn, known(one.props))) for one in args.resources]
        report(rule, facts_of_resources(resources, sayings(args.get_config()), whole=True), report_violation)

    return StackValidationPolicy(validate=validate, **describe(rule))


def properties(urn: str, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """A resource's outputs; its registered inputs where they are not known."""
    return {**REGISTERED.get(urn, {}), **{key: value for key, value in outputs.items() if value is not None}}


def describe(rule: Rule) -> dict[str, Any]:
    """A rule in the words of Pulumi."""
    schema = PolicyConfigSchema(properties={rule.says: SCHEMAS[rule.says]}) if rule.says else None
    return {
        "name": rule.id,
        "display_name": rule.title,
        "description": f"{rule.title}. {rule.reason}.",
        "enforcement_level": LEVELS[rule.level],
        "severity": SEVERITIES[rule.level],
        "remediation_steps": one_line(f"{rule.remedy}."),
        "config_schema": schema,
    }


FEDERATED = "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential"
FEDERATIONS = {
    "type": "array",
    "items": {"type": "string"},
    "description": "whose tokens may sign in, as bootstrap's federate takes them; without it this is not checked",
}


def check_federation(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    """The rule about bootstrap's one resource that lets somebody in; of a pair it knows nothing."""
    if args.resource_type != FEDERATED:
        return
    listed = args.get_config().get("allowedFederations")
    if listed is None:
        args.not_applicable("allowedFederations is not configured for this policy")
    given = known(args.props)
    issuer, subject = given.get("issuer"), given.get("subject")
    if not federation.is_listed(issuer, subject, map(str, listed or ())):
        found = f"{federation.whose(issuer, subject)} could sign in as the application, without a secret"
        report_violation(one_line(f"Found: {found}. Do: {FEDERATION_REMEDY}."), None)


FEDERATION_REMEDY = "Find out who asked for it; if the pipeline is meant, have it added to allowedFederations"
FEDERATION_POLICY = ResourceValidationPolicy(
    name="federation-allowed",
    display_name="Only listed pipelines sign in without a secret",
    description="Only listed pipelines sign in without a secret. One line in bootstrap's stack file lets a stranger's "
    "repository in, with all permissions of the application.",
    validate=check_federation,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    remediation_steps=f"{FEDERATION_REMEDY}.",
    config_schema=PolicyConfigSchema(properties={"allowedFederations": FEDERATIONS}),
)


# Stack policies come after the resource policies that note what was registered; a disabled one notes nothing.
PolicyPack(
    name="xtsync-guardrails",
    policies=[
        *(on_resource(rule) for rule in guardrails.RULES if rule.types),
        *(on_stack(rule) for rule in guardrails.RULES if rule.together),
        FEDERATION_POLICY,
    ],
)
