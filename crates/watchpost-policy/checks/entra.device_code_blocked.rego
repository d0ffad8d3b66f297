# METADATA
# id: entra.device_code_blocked
# title: Device code sign-in is blocked
# description: >-
#   In the device code flow, a person approves a sign-in that happens on another device. Attackers send such
#   codes in chat and mail. A Conditional Access policy must block the flow for all users and all apps.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - "Users: all users. Target resources: all resources."
#   - "Conditions > Authentication flows: Device code flow. Grant: Block access. Exclude meeting-room devices by name if they need it."
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-block-authentication-flows"
# frameworks: ["MS.AAD.3.9v1", "CIS.M365.5.2.2.12", "NIST.800-53.CM-7"]
package watchpost.checks.entra_device_code_blocked

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "blocks device code sign-in for everyone",
	"so": "so a code sent in a chat is enough to take over an account",
}

# A policy may block several flows.
spec := access.specified({"demand": "block", "own": "flows"})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	stops_device_codes(policy)
	entra.blocks(policy)
]

methods(policy) := entra.at(policy, ["conditions", "authenticationFlows", "transferMethods"])

# It requires this flow alone.
stops_device_codes(policy) if methods(policy) == "deviceCodeFlow"

result := entra.ca_verdict(found, entra.people_and_apps, words) if {
	lib.scuba
} else := access.verdict(spec, words)
