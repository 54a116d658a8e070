"""Calls of the audit area."""

from lab.entra.audit import responses
from lab.entra.routing import any_of, route

_READ = any_of("ProvisioningLog.Read.All", "AuditLog.Read.All", "Directory.Read.All")

ROUTES = [route("GET", "/auditLogs/provisioning", responses.list_provisioning, _READ)]
