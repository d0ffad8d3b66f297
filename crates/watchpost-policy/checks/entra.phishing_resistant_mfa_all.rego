# METADATA
# id: entra.phishing_resistant_mfa_all
# title: Phishing-resistant MFA for all users
# description: >-
#   Codes and prompts can be relayed by a fake sign-in page; passkeys, Windows Hello for Business and
#   certificates cannot. A conditional access policy must accept nothing weaker from anyone.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - "Users: all users. Target resources: all resources."
#   - "Grant: Require authentication strength > Phishing-resistant MFA."
#   - >-
#     Give people a passkey or Windows Hello for Business first (Protection > Authentication methods > Passkey
#     (FIDO2)).
#   - "Leave out your emergency access accounts only, and declare them as exemptions of this check."
#   - "Run it in report-only mode for a week, read the sign-in log, then set it to On."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-all-users-mfa-strength"
# frameworks: ["MS.AAD.3.1v1", "NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(2)", "NIST.800-53.IA-2(8)", "NIST.800-53.IA-5"]
package watchpost.checks.entra_phishing_resistant_mfa_all

import data.watchpost.checklib_entra as entra
import rego.v1

words := {
	"does": "demands phishing-resistant MFA from everyone",
	"so": "so a fake sign-in page can take over an account",
}

found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	entra.demands_phishing_resistant(policy)
]

result := entra.ca_verdict(found, entra.people_and_apps, words)
