# METADATA
# id: entra.admin_consent_workflow
# title: Admin consent workflow is on
# description: >-
#   Where users can't consent to apps themselves, they need a way to request consent. Otherwise they work
#   around the ban, or administrators consent without a review.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: []
# optional_inputs: [policies/adminConsentRequestPolicy, settings]
# remediation:
#   - "Entra admin center > Identity > Applications > Enterprise applications > Consent and permissions > Admin consent settings."
#   - "Set \"Users can request admin consent to apps they are unable to consent to\" to Yes, name reviewers, and save."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/configure-admin-consent-workflow"
# frameworks: ["MS.AAD.5.3v1", "CIS.M365.5.1.5.2", "NIST.800-53.CM-4"]
package watchpost.checks.entra_admin_consent_workflow

import data.watchpost.checklib as lib
import rego.v1

values := {lower(sprintf("%v", [found])) | found = lib.one("policies/adminConsentRequestPolicy").isEnabled} | {lower(value.value) |
	some group in lib.rows("settings")
	some value in lib.list(group, "values")
	value.name == "EnableAdminConsentRequests"
	is_string(value.value)
}

# A directory setting that isn't listed has its default: off.
read if lib.has("policies/adminConsentRequestPolicy")

read if lib.has("settings")

result := lib.skipped("unreadable", "Neither the admin consent policy nor the directory settings could be read") if {
	not read
} else := lib.passed("Users can request admin consent for apps", true) if {
	values == {"true"}
} else := lib.skipped("unreadable", "It was not reported whether the admin consent workflow is on") if {
	count(values - {"null"}) == 0
	not lib.has("settings")
} else := lib.failed("Users can't request admin consent for apps, so they look for workarounds", false, [{"values": values}])
