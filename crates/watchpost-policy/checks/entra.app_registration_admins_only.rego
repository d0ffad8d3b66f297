# METADATA
# id: entra.app_registration_admins_only
# title: Only administrators can register applications
# description: >-
#   A user who can register applications can give one a harmless name and ask colleagues to consent to it.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authorizationPolicy]
# remediation:
#   - "Entra admin center > Identity > Users > User settings: set Users can register applications to No."
#   - >-
#     Or: PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy
#     {"defaultUserRolePermissions":{"allowedToCreateApps":false}}
#   - "Give developers the Application Developer role instead."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/role-based-access-control/delegate-app-roles"
# frameworks: ["MS.AAD.5.1v1", "CIS.M365.5.1.2.2", "NIST.800-53.AC-6(10)", "NIST.800-53.CM-5"]
package watchpost.checks.entra_app_registration_admins_only

import data.watchpost.checklib_entra as entra
import rego.v1

result := entra.switch(
	["defaultUserRolePermissions", "allowedToCreateApps"],
	false,
	"Ordinary users can't register applications",
	"Ordinary users can register applications, so a compromised account can create one that outlives its password",
)
