# METADATA
# id: entra.app_password_lifetime
# title: App secret lifetime is at most 180 days
# description: >-
#   A secret that leaked stays useful until it ends. Where apps may still have secrets, the tenant-wide policy
#   must limit their life to 180 days (181 are accepted, as portals round up).
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/defaultAppManagementPolicy]
# optional_inputs: [policies/appManagementPolicies]
# remediation:
#   - >-
#     Entra admin center > Identity > Applications > Enterprise applications > Application policies (or PATCH
#     https://graph.microsoft.com/beta/policies/defaultAppManagementPolicy).
#   - >-
#     Restrict max password lifetime: On, 180 days, for all applications, for applications and service
#     principals.
#   - "Better: block password addition altogether."
# references:
#   - "https://learn.microsoft.com/en-us/graph/api/resources/tenantappmanagementpolicy"
# frameworks: ["MS.AAD.5.6v1", "CIS.M365.5.1.5.4", "NIST.800-53.IA-5(1)"]
# params:
#   most_days: 181
package watchpost.checks.entra_app_password_lifetime

import data.watchpost.checklib_entra as entra
import rego.v1

banned := entra.app_verdict("passwordCredentials", "passwordAddition", null, {"what": "", "good": "No app can get a new secret, so none lives long", "so": ""})

result := banned if {
	banned.result == "passed"
} else := entra.app_verdict("passwordCredentials", "passwordLifetime", input.params.most_days, {
	"what": "The limit on the life of app secrets",
	"good": sprintf("App secrets live %d days at most", [input.params.most_days]),
	"so": "so a leaked secret stays useful",
})
