# METADATA
# id: entra.global_admin_count
# title: Two to eight Global Administrators
# description: >-
#   Each Global Administrator is a path to full control, and with only one, a lost phone can lock the company
#   out. Active and eligible holders count, including those through groups.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [directory/privilegedUsers]
# remediation:
#   - "Entra admin center > Identity > Roles & admins > Global Administrator > Assignments: list who holds the role and what each person uses it for."
#   - "Assign finer-grained roles for everyday tasks (Exchange, SharePoint, User or Application Administrator)."
#   - "Remove the role from people who don't need it, and keep two emergency access accounts."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/role-based-access-control/best-practices"
# frameworks: ["MS.AAD.7.1v1", "CIS.M365.1.1.3", "NIST.800-53.AC-6(5)"]
# params:
#   most: 8
#   least: 2
package watchpost.checks.entra_global_admin_count

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

found := count(entra.global_administrators)

shown := {entra.name_of(holder) | some holder in entra.holders; entra.is_global(holder)}

# A tenant always has a holder of a privileged role.
result := lib.skipped("unreadable", "The list of privileged accounts is empty, so it was not read completely") if {
	input.profile != "scuba"
	count(entra.holders) == 0
} else := lib.passed(sprintf("%s: %s", [lib.number_of(found, "Global Administrator", "Global Administrators"), lib.join(shown)]), {"global_administrators": found}) if {
	entra.global_count_good
} else := lib.failed_entities(
	sprintf("%s, more than %d, and each is a path to full control", [lib.number_of(found, "account is a Global Administrator", "accounts are Global Administrators"), entra.global_most]),
	{"global_administrators": found, "most": entra.global_most},
	[{"account": name} | some name in shown],
	[{"type": "user", "id": object.get(holder, "id", ""), "name": entra.name_of(holder)} | some holder in entra.holders; entra.is_global(holder)],
) if {
	found > entra.global_most
} else := lib.failed(
	sprintf("%s, fewer than %d, so one lost device may lock the company out", [lib.number_of(found, "account is a Global Administrator", "accounts are Global Administrators"), entra.global_least]),
	{"global_administrators": found, "least": entra.global_least},
	[{"account": name} | some name in shown],
)
