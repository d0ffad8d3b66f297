# METADATA
# id: entra.phishing_resistant_mfa_all
# title: Phishing-resistant MFA for all users
# description: >-
#   A fake sign-in page can relay codes and prompts, but not passkeys, Windows Hello for Business or
#   certificates. A Conditional Access policy must accept nothing weaker from anyone.
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
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-all-users-mfa-strength"
# frameworks: ["MS.AAD.3.1v1", "NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(2)", "NIST.800-53.IA-2(8)", "NIST.800-53.IA-5"]
package watchpost.checks.entra_phishing_resistant_mfa_all

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "requires phishing-resistant MFA for everyone",
	"so": "so a fake sign-in page can take over an account",
}

spec := access.specified({"demand": "phishing_resistant"})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	entra.demands_phishing_resistant(policy)
]

result := entra.ca_verdict(found, entra.people_and_apps, words) if {
	lib.scuba
} else := access.verdict(spec, words)
