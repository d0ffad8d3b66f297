# METADATA
# id: entra.no_permanent_privileged
# title: No permanently active privileged role assignments
# description: >-
#   A privileged role that is always active is available to anyone who takes over the account. Roles should
#   be eligible, or active for a limited time; declare emergency access accounts as exemptions. This requires
#   Entra ID P2.
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
#     Assignments > Active assignments.
#   - "Change each permanent assignment to eligible, or give it an end date."
#   - "Role settings > Assignment: turn off Allow permanent active assignment."
#   - "Declare the two emergency access accounts as exemptions of this check."
# references:
#   - "https://learn.microsoft.com/en-us/entra/id-governance/privileged-identity-management/pim-how-to-add-role-to-user"
# frameworks: ["MS.AAD.7.4v1", "CIS.M365.5.3.1", "NIST.800-53.AC-2"]
# params:
#   strict_license: false
package watchpost.checks.entra_no_permanent_privileged

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

failing := [{"role": entra.name_of(role), "id": assignment.principalId} |
	some role in entra.roles
	some assignment in lib.list(role, "assignments")
	permanent(assignment)
	not lower(assignment.principalId) in entra.exempt_holders
]

failing_roles := {item.role | some item in failing}

result := entra.without_premium("privileged roles can only be permanent") if {
	entra.premium != "yes"
} else := lib.skipped("unreadable", sprintf("It is unknown whether privileged roles are permanently active: not reported: %s", [lib.join(unreported)])) if {
	count(failing) == 0
	count(unreported) > 0
} else := lib.passed("No privileged role is permanently active, apart from declared exemptions", {"assignments": 0}) if {
	count(failing) == 0
} else := lib.failed_entities(
	sprintf("%s (%s), so an attacker who takes over such an account has the role at once", [lib.number_of(count(failing), "privileged assignment is permanent", "privileged assignments are permanent"), lib.join(failing_roles)]),
	{"assignments": count(failing), "roles": failing_roles},
	[{"role": item.role, "principal": item.id, "name": entra.principal_name(item.id)} | some item in array.slice(failing, 0, 100)],
	[{"type": "user", "id": item.id, "name": sprintf("%s: %s", [item.role, entra.principal_name(item.id)])} | some item in array.slice(failing, 0, 1000)],
)

permanent(assignment) if is_null(assignment.endDateTime)

# An assignment without the field is unknown, except in the published reading.
unreported := entra.unreported_assignments("endDateTime") if input.profile != "scuba"

unreported := set() if input.profile == "scuba"
