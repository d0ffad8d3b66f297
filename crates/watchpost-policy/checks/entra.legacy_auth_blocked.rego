# METADATA
# id: entra.legacy_auth_blocked
# title: Legacy authentication is blocked for everyone
# description: >-
#   Old protocols such as POP, IMAP and basic SMTP cannot ask for a second factor, so a guessed or stolen
#   password is enough. A conditional access policy must block them for all users and all apps.
# scan: compliance
# severity: critical
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - "Users: all users. Target resources: all resources."
#   - "Conditions > Client apps: Exchange ActiveSync clients and Other clients. Grant: Block access."
#   - "Leave out your emergency access accounts only, and declare them as exemptions of this check."
#   - "Run it in report-only mode for a week, read the sign-in log, then set it to On."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-block-legacy-authentication"
# frameworks: ["MS.AAD.1.1v1", "CIS.M365.5.2.2.3", "NIST.800-53.CM-7"]
package watchpost.checks.entra_legacy_auth_blocked

import data.watchpost.checklib_entra as entra
import rego.v1

legacy_clients := {"exchangeActiveSync", "other"}

words := {
	"does": "blocks legacy authentication for everyone",
	"so": "so a stolen password is enough to sign in without a second factor",
}

found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	legacy_clients - entra.texts(policy, ["conditions", "clientAppTypes"]) == set()
	entra.blocks(policy)
]

result := entra.ca_verdict(found, entra.people_and_apps, words)
