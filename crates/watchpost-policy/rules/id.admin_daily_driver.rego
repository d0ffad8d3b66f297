# METADATA
# id: id.admin_daily_driver
# title: Administrator account used for daily work
# description: >-
#   A privileged account has a mailbox and uses several apps. Every message that it receives and every app
#   that it signs in to is a path to its privileges.
# severity: medium
# category: access_risk
# document: identity
# datasets: [users, roles]
# optional_datasets: [grants, app_assignments]
# action: remove_admin_role
# remediation:
#   - "Give the administrator a second account for the role, without a mailbox or apps."
#   - "Move the role to the second account and remove it from the everyday account."
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
	count(apps(account)) >= least
]

result := lib.failed(sentence, evidence, [id | some account in hits; some grant in used(account); id := object.get(grant, "app_id", ""); id != ""]) if count(hits) > 0

else := lib.quiet(lib.admins, judged)

sentence := sprintf("%s uses an administrator account (%s) for daily work, with a mailbox and %s, and each of them is a path to its privileges", [lib.who, lib.positions(hits), lib.number_of(max([count(apps(account)) | some account in hits]), "app", "apps")])

evidence := [lib.over(account, "apps", [name | some name in app_names(account)], least) | some account in hits]

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

# An account may have granted an app permissions and be assigned to it, too, so apps are counted and not grants.
apps(account) := {object.get(grant, "app_id", object.get(grant, "app_name", "")) | some grant in used(account)}

app_names(account) := {object.get(grant, "app_name", "") | some grant in used(account)}
