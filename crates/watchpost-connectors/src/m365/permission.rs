//! The names of the application permissions that Watchpost uses. All of them are read-only except [`SNAPSHOTS`]: Graph
//! treats the creation of a configuration snapshot as a write, although it changes no setting.

pub(super) const APPLICATION: &str = "Application.Read.All";
pub(super) const AUDIT_LOG: &str = "AuditLog.Read.All";
pub(super) const DIRECTORY: &str = "Directory.Read.All";
pub(super) const DOMAIN: &str = "Domain.Read.All";
pub(super) const GROUP_MEMBER: &str = "GroupMember.Read.All";
pub(super) const ORGANIZATION: &str = "Organization.Read.All";
pub(super) const POLICY: &str = "Policy.Read.All";
pub(super) const ROLES: &str = "RoleManagement.Read.Directory";
pub(super) const ROLE_POLICIES: &str = "RoleManagementPolicy.Read.Directory";
pub(super) const ROLES_ACTIVE: &str = "RoleAssignmentSchedule.Read.Directory";
pub(super) const ROLES_ELIGIBLE: &str = "RoleEligibilitySchedule.Read.Directory";
pub(super) const SHAREPOINT_SETTINGS: &str = "SharePointTenantSettings.Read.All";
pub(super) const SNAPSHOTS: &str = "ConfigurationMonitoring.ReadWrite.All";
pub(super) const USER: &str = "User.Read.All";
