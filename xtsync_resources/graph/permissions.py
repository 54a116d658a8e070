"""The permissions and directory roles that calls name: the least of each, as Microsoft documents them.

Source: https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

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
READ_LICENCES = "LicenseAssignment.Read.All"
READ_TENANTS = "CrossTenantInformation.ReadBasic.All"
READ_USERS = "User.Read.All"
READ_ROLE = "Directory Readers"
PROVISIONING_LOG = "ProvisioningLog.Read.All"
LOG_ROLE = "Reports Reader"
# Greater ones, which are taken for lesser ones.
READ_DIRECTORY, WRITE_DIRECTORY = "Directory.Read.All", "Directory.ReadWrite.All"
WRITE_USERS = "User.ReadWrite.All"
