# METADATA
# id: entra.app_password_addition_blocked
# title: New app secrets are blocked
# description: >-
#   App secrets end up in scripts and configuration files, and are copied without a trace. The tenant-wide
#   app management policy must block new ones; use certificates, managed identities or federated credentials
#   instead.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/defaultAppManagementPolicy]
# optional_inputs: [policies/appManagementPolicies]
# remediation:
#   - "Entra admin center > Identity > Applications > Enterprise applications > Application policies (or PATCH https://graph.microsoft.com/beta/policies/defaultAppManagementPolicy)."
#   - "Block password addition: On, for all applications, for applications and service principals."
#   - "Move apps to managed identities, federated credentials or certificates. Give individual apps that can't move an exception with an end date."
# references:
#   - "https://learn.microsoft.com/en-us/graph/api/resources/tenantappmanagementpolicy"
# frameworks: ["MS.AAD.5.5v1", "CIS.M365.5.1.5.3", "NIST.800-53.IA-5", "NIST.800-53.CM-6"]
package watchpost.checks.entra_app_password_addition_blocked

import data.watchpost.checklib_entra as entra
import rego.v1

result := entra.app_verdict("passwordCredentials", "passwordAddition", null, {
	"what": "The block on new app secrets",
	"good": "No app can get a new secret",
	"so": "so apps still get secrets that anyone can copy",
})
