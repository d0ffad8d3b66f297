# METADATA
# id: entra.finer_roles
# title: Fewer Global Administrators than other privileged users
# description: >-
#   Where most administrators are Global Administrators, smaller roles are not used. There should be at least as
#   many privileged people without that role as with it.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [directory/privilegedUsers]
# remediation:
#   - >-
#     Entra admin center > Identity > Roles & admins > Global Administrator > Assignments: list who holds the
#     role and what for.
#   - "Give smaller roles for everyday tasks (Exchange, SharePoint, User or Application Administrator)."
#   - "Remove the role from those who do not need it, and keep two emergency accounts."
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

result := lib.failed(
	sprintf("%s, which is not between %d and %d, so the balance with finer roles doesn't count", [lib.number_of(globals, "account is Global Administrator", "accounts are Global Administrators"), entra.global_least, entra.global_most]),
	{"global_administrators": globals, "others": lesser},
	[],
) if {
	not entra.global_count_good
} else := lib.passed(
	sprintf("%s beside %s with finer roles", [lib.number_of(globals, "Global Administrator", "Global Administrators"), lib.number_of(lesser, "account", "accounts")]),
	{"global_administrators": globals, "others": lesser},
) if {
	globals <= lesser
} else := lib.failed(
	sprintf("%s but only %s finer roles, so everyday work is done with the highest rights", [lib.number_of(globals, "account is Global Administrator", "accounts are Global Administrators"), lib.number_of(lesser, "account has", "accounts have")]),
	{"global_administrators": globals, "others": lesser},
	[],
)
