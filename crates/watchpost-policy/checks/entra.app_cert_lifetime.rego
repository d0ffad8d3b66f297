# METADATA
# id: entra.app_cert_lifetime
# title: App certificate lifetime is at most 365 days
# description: >-
#   A leaked private key stays usable until its certificate expires. The tenant-wide app management policy
#   must limit the lifetime of app certificates to 365 days (366 are accepted because portals round up).
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
#     Restrict max certificate lifetime: On, 365 days, for all applications, for applications and service
#     principals.
# references:
#   - "https://learn.microsoft.com/en-us/graph/api/resources/tenantappmanagementpolicy"
# frameworks: ["MS.AAD.5.7v1", "CIS.M365.5.1.5.6", "NIST.800-53.IA-5(2)"]
# params:
#   most_days: 366
package watchpost.checks.entra_app_cert_lifetime

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

result := entra.app_verdict("keyCredentials", "asymmetricKeyLifetime", input.params.most_days, {
	"what": "The limit on the lifetime of app certificates",
	"good": sprintf("App certificates are valid for at most %s", [lib.number_of(input.params.most_days, "day", "days")]),
	"so": "so a leaked key stays usable",
})
