# METADATA
# id: entra.mfa_all
# title: MFA for all users
# description: >-
#   A password alone must not be enough for anyone. Either security defaults are on, or a Conditional Access
#   policy requires multi-factor authentication (MFA) for all users in all apps.
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
#   - "Grant: Require authentication strength > Multifactor authentication."
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
#   - >-
#     Without Entra ID P1: turn on security defaults (Identity > Overview > Properties > Manage security
#     defaults).
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-all-users-mfa-strength"
#   - "https://learn.microsoft.com/en-us/entra/fundamentals/security-defaults"
# frameworks: ["MS.AAD.3.2v2", "CIS.M365.5.2.2.2", "NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(2)"]
package watchpost.checks.entra_mfa_all

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "requires MFA for everyone",
	"so": "so a stolen password is enough to sign in",
}

spec := access.specified({"demand": "mfa"})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	asks(policy)
]

asks(policy) if "mfa" in entra.grants(policy)

# It has a separate control for strengths with only phishing-resistant methods.
asks(policy) if {
	count(entra.combinations(policy) - entra.multi_factor) == 0
	count(entra.combinations(policy) - entra.phishing_resistant) > 0
}

result := entra.ca_verdict(found, entra.people_and_apps, words) if {
	lib.scuba
} else := lib.passed("Security defaults require MFA for everyone", {"security_defaults": true}) if {
	access.security_defaults == "on"
} else := lib.skipped("unreadable", "The tenant has no Conditional Access policy, and it is unknown whether security defaults are on") if {
	access.security_defaults == "unknown"
} else := access.verdict(spec, words)
