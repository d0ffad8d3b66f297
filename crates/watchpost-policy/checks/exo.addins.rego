# METADATA
# id: exo.addins
# title: Users cannot install Outlook add-ins
# description: >-
#   An Outlook add-in can read and send mail as its user. A user who can install add-ins can be tricked into
#   installing a malicious one.
# scan: compliance
# severity: medium
# service: exchange
# platforms: [m365]
# inputs: [exchange/RoleAssignmentPolicy]
# remediation:
#   - "Exchange admin center, Roles, User roles, Default Role Assignment Policy, Manage permissions: clear My Custom Apps, My Marketplace Apps and My ReadWriteMailbox Apps."
#   - "Deploy the add-ins that people need from the Microsoft 365 admin center, Settings, Integrated apps."
# references:
#   - "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/add-ins-for-outlook/specify-who-can-install-and-manage-add-ins"
# frameworks: ["CIS.M365.6.3.1", "NIST.800-53.CM-11"]
package watchpost.checks.exo_addins

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_exchange as exchange

path := "exchange/RoleAssignmentPolicy"

installing := {"my custom apps", "my marketplace apps", "my readwritemailbox apps"}

defaults := [row | some row in exchange.rows(path); object.get(row, "IsDefault", null) == true]

# Where no policy is marked as the default, any of them could be.
judged := defaults if count(defaults) > 0

judged := exchange.rows(path) if count(defaults) == 0

found := [{"row": row, "roles": roles} |
	some row in judged
	roles := [role | some role in exchange.texts(object.get(row, "AssignedRoles", null)); lower(trim_space(role)) in installing]
	count(roles) > 0
]

roles_found := sort({role | some item in found; some role in item.roles})

policies := [exchange.name(item.row) | some item in found]

unreported if count(judged) == 0

unreported if {
	some row in judged
	not exchange.has_field(row, "AssignedRoles")
}

result := lib.failed_entities(
	sprintf("%s %s users install Outlook add-ins themselves (%s), so an add-in that reads all their mail needs only their own consent", [exchange.named(policies), exchange.verb(found, "lets", "let"), exchange.named(roles_found)]),
	roles_found, [{"policy": exchange.name(item.row), "field": "AssignedRoles", "value": item.roles} | some item in found], exchange.entities("policy", [item.row | some item in found]),
) if {
	count(found) > 0
} else := lib.skipped("unreadable", exchange.missing(path, "AssignedRoles")) if {
	unreported
} else := lib.passed("The default role assignment policy doesn't let users install add-ins", [])
