# METADATA
# id: id.admin_daily_driver
# title: Administrator account used for daily work
# description: >-
#   A privileged account has a mailbox and uses several apps. Each mail it reads and each app it signs in to
#   is a way to its privileges.
# severity: medium
# category: access_risk
# document: identity
# datasets: [users, roles]
# optional_datasets: [grants, app_assignments]
# action: remove_admin_role
# remediation:
#   - "Give the administrator a second account without mailbox and apps for the role."
#   - "Move the role to it and take it from the everyday account."
# frameworks: ["NIST.800-53.AC-6(2)"]
# params:
#   apps: 3
package watchpost.rules.id_admin_daily_driver

import rego.v1

import data.watchpost.lib

needs := {"users", "roles"}

judged := [account |
	some account in lib.admins
	lib.readable(account.integration, needs)
	lib.privileged(account)
	is_boolean(account.mailbox)
	kinds_readable(account)
]

hits := [account |
	some account in judged
	account.mailbox
	count(used(account)) >= least
]

result := lib.failed(sentence, evidence, [id | some account in hits; some grant in used(account); id := object.get(grant, "app_id", ""); id != ""]) if count(hits) > 0

else := lib.quiet(lib.admins, judged)

sentence := sprintf("%s does daily work with an administrator's account: %s, with a mailbox and %d apps, each a way to its privileges", [lib.who, lib.positions(hits), max([count(used(account)) | some account in hits])])

evidence := [lib.over(account, "apps", [object.get(grant, "app_name", "") | some grant in used(account)], least) | some account in hits]

least := data.params["id.admin_daily_driver"].apps

kinds := {"delegated", "sso_assignment"}

kinds_readable(account) if {
	some kind in kinds
	lib.kind_readable(account.integration, kind)
}

used(account) := [grant |
	some grant in account.grants
	grant.kind in kinds
	lib.kind_readable(account.integration, grant.kind)
]
