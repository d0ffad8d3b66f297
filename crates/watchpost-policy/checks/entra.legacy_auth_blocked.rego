# METADATA
# id: entra.legacy_auth_blocked
# title: Legacy authentication is blocked for everyone
# description: >-
#   Old protocols such as POP, IMAP and basic SMTP don't support a second factor, so a guessed or stolen
#   password is enough. Security defaults or a Conditional Access policy must block them for all users and all
#   apps.
# scan: compliance
# severity: critical
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# optional_inputs: [policies/identitySecurityDefaultsEnforcementPolicy]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - "Users: all users. Target resources: all resources."
#   - "Conditions > Client apps: Exchange ActiveSync clients and Other clients. Grant: Block access."
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-block-legacy-authentication"
# frameworks: ["MS.AAD.1.1v1", "CIS.M365.5.2.2.3", "NIST.800-53.CM-7"]
package watchpost.checks.entra_legacy_auth_blocked

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

legacy_clients := {"exchangeActiveSync", "other"}

words := {
	"does": "blocks legacy authentication for everyone",
	"so": "so a stolen password is enough to sign in without MFA",
}

spec := access.specified({"demand": "block", "own": "clients", "needs": access.needing("clients", {"exchangeactivesync", "other"})})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	legacy_clients - entra.texts(policy, ["conditions", "clientAppTypes"]) == set()
	entra.blocks(policy)
]

result := entra.ca_verdict(found, entra.people_and_apps, words) if {
	lib.scuba
} else := lib.passed("Security defaults block legacy authentication for everyone", {"security_defaults": true}) if {
	access.security_defaults == "on"
} else := lib.skipped("unreadable", "The tenant has no Conditional Access policy, and it is unknown whether security defaults are on") if {
	access.security_defaults == "unknown"
} else := access.verdict(spec, words)
