# METADATA
# id: entra.finer_roles
# title: Finer-grained roles instead of Global Administrator
# description: >-
#   If most administrators are Global Administrators, finer-grained roles are not used. There must be at
#   least as many privileged users without that role as with it.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [directory/privilegedUsers]
# remediation:
#   - "Entra admin center > Identity > Roles & admins > Global Administrator > Assignments: list who holds the role and what each person uses it for."
#   - "Assign finer-grained roles for everyday tasks (Exchange, SharePoint, User or Application Administrator)."
#   - "Remove the role from people who don't need it, and keep two emergency access accounts."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/role-based-access-control/delegate-by-task"
# frameworks: ["MS.AAD.7.2v1", "NIST.800-53.AC-5"]
# params:
#   most: 8
#   least: 2
package watchpost.checks.entra_finer_roles

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

globals := count(entra.global_administrators)

lesser := count(entra.lesser_administrators)

having := "no account has" if {
	lesser == 0
} else := sprintf("only %s", [lib.number_of(lesser, "account has", "accounts have")])

# A tenant always has a holder of a privileged role.
result := lib.skipped("unreadable", "The list of privileged accounts is empty, so it was not read completely") if {
	input.profile != "scuba"
	count(entra.holders) == 0
} else := lib.failed(
	sprintf("%s, which is not between %d and %d, so the ratio to finer-grained roles doesn't count", [lib.number_of(globals, "account is a Global Administrator", "accounts are Global Administrators"), entra.global_least, entra.global_most]),
	{"global_administrators": globals, "others": lesser},
	[],
) if {
	not entra.global_count_good
} else := lib.passed(
	sprintf("%s and %s with finer-grained roles", [lib.number_of(globals, "Global Administrator", "Global Administrators"), lib.number_of(lesser, "account", "accounts")]),
	{"global_administrators": globals, "others": lesser},
) if {
	globals <= lesser
} else := lib.failed(
	sprintf("%s but %s finer-grained roles, so everyday work is done with the highest privileges", [lib.number_of(globals, "account is a Global Administrator", "accounts are Global Administrators"), having]),
	{"global_administrators": globals, "others": lesser},
	[],
)
