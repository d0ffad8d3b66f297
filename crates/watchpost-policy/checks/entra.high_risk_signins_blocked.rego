# METADATA
# id: entra.high_risk_signins_blocked
# title: High-risk sign-ins are blocked
# description: >-
#   Entra ID Protection rates the risk of sign-ins. A Conditional Access policy must block sign-ins that are
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
#   - "Conditions > Sign-in risk: High. Grant: Block access."
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-risk-based-sign-in"
# frameworks: ["MS.AAD.2.3v1", "CIS.M365.5.2.2.7", "CIS.M365.5.2.2.8", "NIST.800-53.AC-2(12)", "NIST.800-53.AC-2(13)"]
# params:
#   strict_license: false
package watchpost.checks.entra_high_risk_signins_blocked

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "blocks high-risk sign-ins",
	"so": "so sign-ins that Microsoft rates as attacks succeed",
}

spec := access.specified({"demand": "block", "own": "sign_in_risk", "needs": access.needing("sign_in_risk", {"high"})})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	"high" in entra.lower_texts(policy, ["conditions", "signInRiskLevels"])
	entra.blocks(policy)
]

result := entra.without_premium("the risk of sign-ins is not rated") if {
	entra.premium != "yes"
} else := entra.ca_verdict(found, entra.people_and_apps, words) if {
	lib.scuba
} else := access.verdict(spec, words)
