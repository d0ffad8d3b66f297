# METADATA
# id: entra.ga_activation_approval
# title: Global Administrator activation requires approval
# description: >-
#   If a second person has to approve the activation, a compromised account alone can't become Global
#   Administrator. The same applies to groups that grant the role. This requires Entra ID P2.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [directory/privilegedRoles]
# optional_inputs: [subscribedSkus, licenses/features]
# remediation:
#   - >-
#     Entra admin center > Identity Governance > Privileged Identity Management > Microsoft Entra roles >
#     Roles > Global Administrator > Role settings > Edit.
#   - "Activation: Require approval to activate, and choose at least two approvers."
#   - >-
#     Do the same for groups that grant the role: Privileged Identity Management > Groups > the group >
#     Settings > Member.
# references:
#   - "https://learn.microsoft.com/en-us/entra/id-governance/privileged-identity-management/pim-how-to-change-default-settings"
# frameworks: ["MS.AAD.7.6v1", "CIS.M365.5.3.4", "NIST.800-53.AC-6(1)"]
# params:
#   strict_license: false
package watchpost.checks.entra_ga_activation_approval

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

rules := entra.role_rules([role | some role in entra.roles; entra.global_administrator(role)], {"Approval_EndUser_Assignment"})

open := {entra.rule_source(item) |
	some item in rules
	entra.at(item.rule, ["setting", "isApprovalRequired"]) == false
}

untold := {entra.rule_source(item) |
	some item in rules
	not is_boolean(entra.at(item.rule, ["setting", "isApprovalRequired"]))
}

result := entra.without_premium("activation can't require approval") if {
	entra.premium != "yes"
} else := lib.failed_entities(
	sprintf("%s can be activated without approval, so one compromised account is enough", [lib.join(open)]),
	{"without_approval": open},
	[{"source": source, "approval": false} | some source in open],
	[{"type": "role", "id": source, "name": source} | some source in open],
) if {
	count(open) > 0
} else := lib.skipped("unreadable", "The activation rules of Global Administrator were not read") if {
	input.profile != "scuba"
	count(rules) == 0
} else := lib.skipped("unreadable", sprintf("%s: it was not reported whether activation requires approval", [lib.join(untold)])) if {
	input.profile != "scuba"
	count(untold) > 0
} else := lib.passed("Activation of Global Administrator requires approval", {"rules": count(rules)})
