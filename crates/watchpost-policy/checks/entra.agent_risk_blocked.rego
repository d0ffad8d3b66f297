# METADATA
# id: entra.agent_risk_blocked
# title: High-risk agent identities are blocked
# description: >-
#   AI agents act with identities of their own. A Conditional Access policy must block the agent identities
#   that Microsoft rates as high risk. This requires Entra ID P2 and doesn't exist in the US government
#   clouds GCC High and DoD.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# optional_inputs: [subscribedSkus, licenses/features]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - "Assignments: Agents (Preview) > All agent identities. Target resources: all resources."
#   - "Conditions > Agent risk: High. Grant: Block access."
#   - "Run the policy in report-only mode for a week, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-agent-block-high-risk"
# frameworks: ["MS.AAD.9.1v1", "NIST.800-53.AC-3", "NIST.800-53.AC-6", "NIST.800-53.CM-7(4)"]
# params:
#   strict_license: false
package watchpost.checks.entra_agent_risk_blocked

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "blocks high-risk agent identities",
	"so": "so a compromised agent keeps working",
}

spec := access.specified({"demand": "block", "who": "agents", "kinds": {"agent", "application"}})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.all_apps(policy)
	"all" in entra.lower_texts(policy, ["conditions", "clientAppTypes"])
	"high" in risk_levels(policy)
	"all" in entra.lower_texts(policy, ["conditions", "clientApplications", "includeAgentIdServicePrincipals"])
	no_agent_left_out(policy)
	entra.blocks(policy)
]

# A comma-separated string, or a list.
risk_levels(policy) := {lower(trim_space(level)) |
	some text in entra.texts(policy, ["conditions", "agentIdRiskLevels"])
	some level in split(text, ",")
}

no_agent_left_out(policy) if count(agents_left_out(policy)) == 0

agents_left_out(policy) := {id |
	some id in entra.texts(policy, ["conditions", "clientApplications", "excludeAgentIdServicePrincipals"])
	not lower(id) in entra.exempt("application")
}

verdict := entra.ca_verdict(found, entra.people_and_apps, words) if {
	lib.scuba
} else := access.verdict(spec, words)

government if lib.feature("government") == true

result := entra.without_premium("the risk of agents is not rated") if {
	entra.premium != "yes"
} else := verdict if {
	verdict.result == "passed"
} else := lib.skipped("manual", "Blocking by agent risk is not available in this government cloud") if {
	government
	input.profile == "scuba"
} else := lib.skipped("not_applicable", "Blocking by agent risk is not available in this government cloud") if {
	government
} else := verdict
