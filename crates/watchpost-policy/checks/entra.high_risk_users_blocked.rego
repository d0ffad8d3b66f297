# METADATA
# id: entra.high_risk_users_blocked
# title: High-risk users are blocked
# description: >-
#   Entra ID Protection rates the risk of users. A Conditional Access policy must block accounts that are
#   rated as high risk, for all users and all apps. This requires Entra ID P2.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# optional_inputs: [subscribedSkus, licenses/features]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - "Users: all users. Target resources: all resources."
#   - "Conditions > User risk: High. Grant: Block access."
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-risk-based-user"
# frameworks: ["MS.AAD.2.1v1", "CIS.M365.5.2.2.6", "NIST.800-53.AC-2(12)", "NIST.800-53.AC-2(13)"]
# params:
#   strict_license: false
package watchpost.checks.entra_high_risk_users_blocked

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "blocks high-risk users",
	"so": "so accounts that Microsoft rates as compromised keep working",
}

spec := access.specified({"demand": "block", "own": "user_risk", "needs": access.needing("user_risk", {"high"})})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	"high" in entra.lower_texts(policy, ["conditions", "userRiskLevels"])
	entra.blocks(policy)
]

result := entra.without_premium("the risk of users is not rated") if {
	entra.premium != "yes"
} else := entra.ca_verdict(found, entra.people_and_apps, words) if {
	lib.scuba
} else := access.verdict(spec, words)
