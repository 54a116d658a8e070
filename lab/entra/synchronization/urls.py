"""Calls of the synchronization area."""

from functools import partial

from lab.entra.routing import OWNED, any_of, route
from lab.entra.synchronization import expressions, filters, on_demand, responses

# As the permission data has it: the greater permissions for applications and the directory are not among these.
_WRITE = any_of("Synchronization.ReadWrite.All", OWNED)
_READ = (*any_of("Synchronization.Read.All"), *_WRITE)
_BASE = "/servicePrincipals/{principal}/synchronization"
_JOBS = f"{_BASE}/jobs"
_JOB = f"{_JOBS}/{{job}}"
_SCHEMA = f"{_JOB}/schema"
_route = partial(route, owned="principal", synchronization=True)

ROUTES = [
    _route("GET", f"{_BASE}/templates", responses.list_templates, _READ),
    _route("GET", f"{_BASE}/templates/{{template}}", responses.get_template, _READ),
    _route("GET", f"{_BASE}/templates/{{template}}/schema", responses.get_template_schema, _READ),
    _route("GET", f"{_BASE}/secrets", responses.get_secrets, _READ),
    _route("PUT", f"{_BASE}/secrets", responses.put_secrets, _WRITE),
    _route("GET", _JOBS, responses.list_jobs, _READ),
    _route("POST", _JOBS, responses.create_job, _WRITE),
    _route("POST", f"{_JOBS}/validateCredentials", responses.validate_credentials, _WRITE),
    _route("GET", _JOB, responses.get_job, _READ),
    _route("DELETE", _JOB, responses.delete_job, _WRITE),
    _route("POST", f"{_JOB}/start", responses.start_job, _WRITE),
    _route("POST", f"{_JOB}/pause", responses.pause_job, _WRITE),
    _route("POST", f"{_JOB}/restart", responses.restart_job, _WRITE),
    _route("POST", f"{_JOB}/validateCredentials", responses.validate_credentials, _WRITE),
    _route("POST", f"{_JOB}/provisionOnDemand", on_demand.provision_on_demand, _WRITE),
    _route("GET", _SCHEMA, responses.get_schema, _READ),
    _route("GET", f"{_SCHEMA}/filterOperators", filters.filter_operators, _WRITE),
    _route("POST", f"{_SCHEMA}/parseExpression", expressions.parse_expression, _WRITE),
    _route("PUT", _SCHEMA, responses.put_schema, _WRITE),
    _route("DELETE", _SCHEMA, responses.delete_schema, _WRITE),
    _route("PATCH", _SCHEMA, responses.patch_schema, _WRITE),
]
