# METADATA
# id: entra.mfa_all
# title: MFA for all users
# description: >-
#   A password alone must not be enough for anybody. Either security defaults are on, or a conditional access
#   policy asks all users for multi-factor authentication in all apps.
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
#   - "Leave out your emergency access accounts only, and declare them as exemptions of this check."
#   - "Run it in report-only mode for a week, read the sign-in log, then set it to On."
#   - >-
#     Without Entra ID P1: switch on security defaults (Identity > Overview > Properties > Manage security
#     defaults).
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-all-users-mfa-strength"
#   - "https://learn.microsoft.com/en-us/entra/fundamentals/security-defaults"
# frameworks: ["MS.AAD.3.2v2", "CIS.M365.5.2.2.2", "NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(2)"]
package watchpost.checks.entra_mfa_all

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "asks everyone for MFA",
	"so": "so a stolen password is enough to get in",
}

found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	asks(policy)
]

asks(policy) if "mfa" in entra.grants(policy)

asks(policy) if {
	count(entra.combinations(policy)) > 0
	count(entra.combinations(policy) - entra.multi_factor) == 0
	input.profile != "scuba"
}

# The published reading leaves a strength that is phishing-resistant throughout to its own control.
asks(policy) if {
	count(entra.combinations(policy) - entra.multi_factor) == 0
	count(entra.combinations(policy) - entra.phishing_resistant) > 0
	input.profile == "scuba"
}

security_defaults if {
	input.profile != "scuba"
	lib.one("policies/identitySecurityDefaultsEnforcementPolicy").isEnabled == true
}

result := lib.passed("Security defaults ask everyone for MFA", {"security_defaults": true}) if {
	security_defaults
} else := entra.ca_verdict(found, entra.people_and_apps, words)
