# METADATA
# id: entra.tenant_creation_off
# title: Users cannot create tenants
# description: >-
#   A user who creates a tenant is its Global Administrator, and no one oversees company data in such
#   tenants.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authorizationPolicy]
# remediation:
#   - >-
#     Entra admin center > Identity > Users > User settings: set Restrict non-admin users from creating
#     tenants to Yes.
#   - >-
#     Or: PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy
#     {"defaultUserRolePermissions":{"allowedToCreateTenants":false}}
# references:
#   - "https://learn.microsoft.com/en-us/entra/fundamentals/users-default-permissions"
# frameworks: ["CIS.M365.5.1.2.3", "NIST.800-53.CM-7"]
package watchpost.checks.entra_tenant_creation_off

import data.watchpost.checklib_entra as entra
import rego.v1

result := entra.switch(
	["defaultUserRolePermissions", "allowedToCreateTenants"],
	false,
	"Ordinary users can't create tenants",
	"Ordinary users can create tenants, so company data may end up in tenants that no one oversees",
)
