# METADATA
# id: id.shared_account
# title: Shared account with a privileged role
# description: >-
#   An active privileged account has a name that suggests that several people use it (such as admin, support
#   or test). No one can tell who did what with it, and several people may know its password.
# severity: medium
# category: access_hygiene
# document: identity
# datasets: [users, roles]
# action: remove_admin_role
# remediation:
#   - "Give each person who uses the account a personal account with the role."
#   - "Remove the role from the shared account and change its password."
# frameworks: ["NIST.800-53.AC-2(9)", "NIST.800-53.IA-2"]
# params:
#   names:
#     ["admin", "administrator", "info", "support", "test", "root", "it", "helpdesk", "service", "office",
#     "sales", "contact", "hr", "user", "guest", "demo", "temp", "shared", "reception", "accounting",
#     "security", "postmaster", "webmaster"]
package watchpost.rules.id_shared_account

import rego.v1

import data.watchpost.lib

needs := {"users", "roles"}

judged := [account |
	some account in lib.admins
	lib.readable(account.integration, needs)
	lib.privileged(account)
]

hits := [account |
	some account in judged
	lower(split(account.login, "@")[0]) in names
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(lib.admins, judged)

sentence := sprintf("The shared account %s holds %s, so no one can tell who used its privileges", [concat(" and ", {account.login | some account in hits}), lib.positions(hits)])

evidence := [lib.seen(account, "login", account.login) | some account in hits]

names := {name | some name in data.params["id.shared_account"].names}
