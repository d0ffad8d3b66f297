# METADATA
# id: entra.app_password_lifetime
# title: App secret lifetime is at most 180 days
# description: >-
#   A leaked secret stays usable until it expires. Where apps may still have secrets, the tenant-wide app
#   management policy must limit their lifetime to 180 days (181 are accepted because portals round up).
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
import data.watchpost.checklib as lib
import rego.v1

banned := entra.app_verdict("passwordCredentials", "passwordAddition", null, {"what": "", "good": "No app can get a new secret, so no secret is long-lived", "so": ""})

limited := entra.app_verdict("passwordCredentials", "passwordLifetime", input.params.most_days, {
	"what": "The limit on the lifetime of app secrets",
	"good": sprintf("App secrets are valid for at most %s", [lib.number_of(input.params.most_days, "day", "days")]),
	"so": "so a leaked secret stays usable",
})

# A ban that may have exceptions leaves open whether the missing limit matters.
result := banned if {
	banned.result == "passed"
} else := limited if {
	limited.result == "passed"
} else := banned if {
	banned.result == "skipped"
} else := limited
