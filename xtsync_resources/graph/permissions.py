"""The permissions and directory roles that calls name: the least of each, as Microsoft documents them.

Source: https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from collections.abc import Mapping, Set

POLICY_ROLE = "Security Administrator"
JOB_ROLE = "Hybrid Identity Administrator or Cloud Application Administrator"
POLICY_READ = "Policy.Read.All"
POLICY_WRITE = "Policy.ReadWrite.CrossTenantAccess"
APPLICATION = "Application.ReadWrite.OwnedBy"
READ_APPLICATION = "Application.Read.All"
ASSIGNMENT = "AppRoleAssignment.ReadWrite.All"
APPLICATION_ROLE = "Cloud Application Administrator"
SYNCHRONIZATION = "Synchronization.ReadWrite.All"
READ_GROUPS = "GroupMember.Read.All"
HIDDEN_MEMBERS = "Member.Read.Hidden"
READ_LICENCES = "LicenseAssignment.Read.All"
READ_TENANTS = "CrossTenantInformation.ReadBasic.All"
READ_USERS = "User.Read.All"
READ_ROLE = "Directory Readers"
PROVISIONING_LOG = "ProvisioningLog.Read.All"
LOG_ROLE = "Reports Reader"
# Greater ones.
READ_DIRECTORY, WRITE_DIRECTORY = "Directory.Read.All", "Directory.ReadWrite.All"
WRITE_APPLICATIONS, WRITE_USERS = "Application.ReadWrite.All", "User.ReadWrite.All"
# Greater permissions that Graph accepts for all the calls of one, by its pages; what only some of them accept is not.
ALSO_ACCEPTED: Mapping[str, frozenset[str]] = {
    APPLICATION: frozenset({WRITE_APPLICATIONS}),
    READ_APPLICATION: frozenset({WRITE_APPLICATIONS, READ_DIRECTORY, WRITE_DIRECTORY}),
    ASSIGNMENT: frozenset({WRITE_APPLICATIONS}),
    READ_USERS: frozenset({WRITE_USERS, READ_DIRECTORY, WRITE_DIRECTORY}),
    READ_GROUPS: frozenset({"Group.Read.All", "Group.ReadWrite.All", READ_DIRECTORY}),
    PROVISIONING_LOG: frozenset({"AuditLog.Read.All", READ_DIRECTORY}),
}


def covers(granted: Set[str], permission: str) -> bool:
    """Whether some granted permission is this one, or accepted for it."""
    return not granted.isdisjoint({permission, *ALSO_ACCEPTED.get(permission, ())})
