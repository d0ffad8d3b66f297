# METADATA
# id: entra.authenticator_context
# title: Authenticator prompts show app and location
# description: >-
#   People who see which app asks and from where are less likely to approve a prompt that they did not cause.
#   Microsoft Authenticator must show both to all users, and must not issue one-time codes, which can be
#   relayed.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authenticationMethodsPolicy]
# optional_inputs: [identity/conditionalAccess/policies]
# remediation:
#   - "Entra admin center > Protection > Authentication methods > Policies > Microsoft Authenticator."
#   - "Enable and Target: set Allow use of Microsoft Authenticator OTP to No under Configure."
#   - "Configure > Show application name in push and passwordless notifications: Enabled, all users."
#   - "Configure > Show geographic location in push and passwordless notifications: Enabled, all users."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/authentication/how-to-mfa-additional-context"
# frameworks: ["MS.AAD.3.3v2", "CIS.M365.5.2.3.1", "NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(2)", "NIST.800-53.IA-2(8)", "NIST.800-53.IA-2(13)", "NIST.800-53.IA-5"]
package watchpost.checks.entra_authenticator_context

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

methods := lib.list(lib.one("policies/authenticationMethodsPolicy"), "authenticationMethodConfigurations")

authenticator := [method | some method in methods; method.id == "MicrosoftAuthenticator"][0]

# Fails closed: a feature that is left to Microsoft's default counts as off.
shown(feature) if {
	state = entra.at(authenticator, ["featureSettings", feature])
	state.state == "enabled"
	lower(entra.at(state, ["includeTarget", "id"])) == "all_users"
	not leaves_out(state)
}

# An excluded group doesn't see the context. Microsoft writes "no group" as zeros.
leaves_out(state) if {
	input.profile != "scuba"
	id = entra.at(state, ["excludeTarget", "id"])
	not id in {"", "00000000-0000-0000-0000-000000000000"}
}

# Fields that weren't reported. The published reading counts them as off.
unreported := {field |
	some field in ["displayAppInformationRequiredState", "displayLocationInformationRequiredState"]
	not is_object(entra.at(authenticator, ["featureSettings", field]))
} | {"isSoftwareOathEnabled" | not is_boolean(object.get(authenticator, "isSoftwareOathEnabled", null))}

certain_faults := array.concat(
	[fault | some fault in faults; is_object(entra.at(authenticator, ["featureSettings"])); count(unreported - {"isSoftwareOathEnabled"}) == 0],
	[code | some code in codes; authenticator.isSoftwareOathEnabled == true],
)

faults := [fault |
	some [feature, fault] in [
		["displayAppInformationRequiredState", "does not show the app to all users"],
		["displayLocationInformationRequiredState", "does not show the location to all users"],
	]
	not shown(feature)
]

codes := ["issues one-time codes"] if object.get(authenticator, "isSoftwareOathEnabled", true) != false

default codes := []

all_faults := array.concat(faults, codes)

result := lib.skipped("not_applicable", "Phishing-resistant MFA is required for everyone, so Authenticator prompts no longer matter") if {
	no_prompts
} else := lib.skipped("unreadable", "The authentication methods policy doesn't list its methods") if {
	count(methods) == 0
} else := lib.skipped("unreadable", "The authentication methods policy doesn't report whether Microsoft Authenticator is in use") if {
	input.profile != "scuba"
	not is_string(entra.at(authenticator, ["state"]))
} else := lib.skipped("not_applicable", "Microsoft Authenticator is not in use") if {
	not enabled
} else := lib.skipped("unreadable", sprintf("The settings of Microsoft Authenticator don't report %s", [lib.join(unreported)])) if {
	input.profile != "scuba"
	count(unreported) > 0
	count(certain_faults) == 0
} else := lib.passed("Microsoft Authenticator shows app and location to all users and issues no one-time codes", {"state": "enabled"}) if {
	count(all_faults) == 0
} else := lib.failed(
	sprintf("Microsoft Authenticator %s, so people may approve prompts that they did not cause", [concat(", ", all_faults)]),
	{"faults": all_faults},
	[{"fault": fault} | some fault in all_faults],
)

enabled if authenticator.state == "enabled"

no_prompts if {
	input.profile != "scuba"
	access.phishing_resistant_for_all
}

no_prompts if {
	lib.scuba
	count(entra.phishing_resistant_for_all) > 0
}
