# METADATA
# id: entra.privileged_via_pim
# title: Privileged roles are assigned through PIM
# description: >-
#   Privileged Identity Management (PIM) records who got a role, when and why. Assignments made outside it
#   have no start date and bypass its approvals and alerts. This requires Entra ID P2.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [directory/privilegedRoles]
# optional_inputs: [subscribedSkus, licenses/features, directory/privilegedUsers]
# remediation:
#   - >-
#     Entra admin center > Identity Governance > Privileged Identity Management > Microsoft Entra roles >
#     Assignments.
#   - "Remove each assignment without a start date, and create it again in PIM as eligible."
#   - "Monitor the alert \"Roles are being assigned outside of Privileged Identity Management\" under Alerts."
# references:
#   - "https://learn.microsoft.com/en-us/entra/id-governance/privileged-identity-management/pim-how-to-configure-security-alerts"
# frameworks: ["MS.AAD.7.5v1", "NIST.800-53.AC-2"]
# params:
#   strict_license: false
package watchpost.checks.entra_privileged_via_pim

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

failing := [{"role": entra.name_of(role), "id": assignment.principalId} |
	some role in entra.roles
	some assignment in lib.list(role, "assignments")
	outside(assignment)
	not exempted(assignment)
]

failing_roles := {item.role | some item in failing}

result := entra.without_premium("privileged roles are assigned without a record") if {
	entra.premium != "yes"
} else := lib.skipped("unreadable", sprintf("It is unknown whether privileged roles were assigned through PIM: not reported: %s", [lib.join(unreported)])) if {
	count(failing) == 0
	count(unreported) > 0
} else := lib.passed("All privileged roles were assigned through PIM", {"assignments": 0}) if {
	count(failing) == 0
} else := lib.failed_entities(
	sprintf("%s (%s), which bypasses its approvals and alerts", [lib.number_of(count(failing), "privileged assignment was made outside PIM", "privileged assignments were made outside PIM"), lib.join(failing_roles)]),
	{"assignments": count(failing), "roles": failing_roles},
	[{"role": item.role, "principal": item.id, "name": entra.principal_name(item.id)} | some item in array.slice(failing, 0, 100)],
	[{"type": "user", "id": item.id, "name": sprintf("%s: %s", [item.role, entra.principal_name(item.id)])} | some item in array.slice(failing, 0, 1000)],
)

outside(assignment) if is_null(assignment.startDateTime)

# An assignment without the field is unknown, except in the published reading.
unreported := entra.unreported_assignments("startDateTime") if input.profile != "scuba"

unreported := set() if input.profile == "scuba"

# The published reading has no exemptions here.
exempted(assignment) if {
	lower(assignment.principalId) in entra.exempt_holders
	input.profile != "scuba"
}
