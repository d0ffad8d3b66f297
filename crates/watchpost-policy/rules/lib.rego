# Functions and values that the rules share. The document is `input.doc`, the time is `input.now_ms` (docs/rules.md).
package watchpost.lib

import rego.v1

hour_ms := 3600000

day_ms := 86400000

# -- Accounts --------------------------------------------------------------------------------------------------------

active(account) if account.status == "active"

# Suspended or deprovisioned. An account that is pending activation is neither.
ended(account) if account.status == "suspended"

ended(account) if account.status == "deprovisioned"

human(account) if account.kind == "member"

human(account) if account.kind == "guest"

privileged(account) if {
	some role in account.roles
	role.privileged
}

super_admin(account) if {
	some role in account.roles
	role.super_admin
}

# -- Readable data ---------------------------------------------------------------------------------------------------

# Whether the integration could read every dataset in the set `needs`.
readable(integration, needs) if {
	every dataset in integration.unreadable {
		not dataset in needs
	}
}

# The dataset that grants of a kind come from.
dataset_of := {
	"delegated": "grants",
	"application": "app_grants",
	"sso_assignment": "app_assignments",
	"token": "tokens",
}

kind_readable(integration, kind) if not dataset_of[kind] in integration.unreadable

# Active accounts that are privileged, or may be because the integration's roles can't be read.
admins := [account |
	some account in input.doc.accounts
	account.status == "active"
	maybe_privileged(account)
]

maybe_privileged(account) if privileged(account)

maybe_privileged(account) if "roles" in account.integration.unreadable

actives := [account |
	some account in input.doc.accounts
	account.status == "active"
]

# -- Time ------------------------------------------------------------------------------------------------------------

# Whether `at_ms` is known and more than `days` days ago.
older(at_ms, days) if {
	is_number(at_ms)
	at_ms < input.now_ms - (days * day_ms)
}

days_since(at_ms) := floor((input.now_ms - at_ms) / day_ms)

# -- Results ---------------------------------------------------------------------------------------------------------

passed := {"result": "passed"}

skipped(reason) := {"result": "skipped", "reason": reason}

failed(sentence, evidence, entities) := {
	"result": "failed",
	"reason": sentence,
	"evidence": evidence,
	"entities": entities,
}

# The result of a rule over accounts that found nothing. `pool`: the accounts that the rule covers; `judged`: those of
# them about which enough is known.
quiet(_, judged) := passed if count(judged) > 0

quiet(pool, judged) := skipped("unreadable") if {
	count(judged) == 0
	count(pool) > 0
}

quiet(pool, judged) := skipped("not_applicable") if {
	count(judged) == 0
	count(pool) == 0
}

# Evidence: the value of an account's field.
seen(account, field, value) := {
	"platform": account.integration.platform,
	"account": account.login,
	"field": field,
	"value": value,
}

# Evidence: the value of an account's field, and the limit that it was compared with.
over(account, field, value, limit) := {
	"platform": account.integration.platform,
	"account": account.login,
	"field": field,
	"value": value,
	"limit": limit,
}

# -- Sentences -------------------------------------------------------------------------------------------------------

platform_titles := {
	"m365": "Microsoft 365",
	"okta": "Okta",
	"google_workspace": "Google Workspace",
	"github": "GitHub",
	"slack": "Slack",
	"import": "an import",
}

platform_title(platform) := object.get(platform_titles, platform, clip(platform))

# The person of an identity document: `Mara Holt (mara.holt@birchworks.example)`.
who := sprintf("%s (%s)", [input.doc.display_name, input.doc.email]) if {
	input.doc.display_name != ""
	input.doc.display_name != input.doc.email
} else := input.doc.email if {
	input.doc.email != ""
} else := input.doc.display_name if {
	input.doc.display_name != ""
} else := input.doc.accounts[0].login

# The app of an app document and its platform: `Ledgerly (Microsoft 365)`.
app := sprintf("%s (%s)", [input.doc.name, platform_title(input.doc.integration.platform)])

# The platforms of accounts: `Microsoft 365 and Okta`.
where(accounts) := concat(" and ", {platform_title(account.integration.platform) | some account in accounts})

# The roles of accounts and their platforms: `Global Administrator in Microsoft 365`.
positions(accounts) := concat(" and ", {position |
	some account in accounts
	position := sprintf("%s in %s", [clip(role_name(account)), platform_title(account.integration.platform)])
})

# The role to name: the highest if the account holds it, otherwise a privileged one.
role_name(account) := min({role.name | some role in account.roles; role.super_admin}) if {
	super_admin(account)
} else := min({role.name | some role in account.roles; role.privileged}) if {
	privileged(account)
} else := "an administrator role"

# At most three names of a set: `Ledgerly, Fieldnote, Quillpost and 4 more`.
names(set) := concat(", ", {clip(name) | some name in set}) if {
	count(set) <= 3
} else := sprintf("%s and %d more", [
	concat(", ", [clip(name) | some name in array.slice(sort(set), 0, 3)]),
	count(set) - 3,
])

# At most 200 characters of a text, so that sentences composed of sentences stay bounded.
clip(value) := substring(value, 0, 200)

# For customers' rules, which can't call `sprintf`: a sentence with at most ten short parts.
text(format, parts) := sprintf(format, [short(part) | some part in parts]) if {
	count(format) <= 500
	count(parts) <= 10
}

short(part) := clip(part) if is_string(part)

short(part) := part if is_number(part)

short(part) := part if is_boolean(part)

# `1 person`, `3 people`.
number_of(count_, one, _) := sprintf("1 %s", [clip(one)]) if count_ == 1

number_of(count_, _, many) := sprintf("%d %s", [count_, clip(many)]) if count_ != 1

# -- Apps ------------------------------------------------------------------------------------------------------------

# Not one of the platform vendor's own apps, which `app.*` rules don't judge.
foreign_app if not input.doc.first_party

unsanctioned if input.doc.policy != "sanctioned"

# The readable kinds of grant whose worst risk is in `risks`.
kinds_at_risk(risks) := {kind |
	some kind, risk in input.doc.risks
	risk in risks
	kind_readable(input.doc.integration, kind)
}

# The number of grants of the kinds that could be read.
grant_count := sum([number |
	some kind, number in input.doc.grant_counts
	kind_readable(input.doc.integration, kind)
])

any_grants_unreadable if {
	some kind in {"delegated", "application", "sso_assignment"}
	not kind_readable(input.doc.integration, kind)
}

# Who uses the app: `3 accounts`, or `the whole tenant` if it has permissions that aren't granted by single accounts.
users := "the whole tenant" if {
	tenant_wide
} else := number_of(input.doc.accounts, "account", "accounts")

tenant_wide if {
	input.doc.tenant_wide_risk
	kind_readable(input.doc.integration, "delegated")
}

tenant_wide if {
	object.get(input.doc.grant_counts, "application", 0) > 0
	kind_readable(input.doc.integration, "application")
}

# Whose data the app's permissions at one of the `risks` reach: `3 accounts`, or `the whole tenant`.
reach(risks) := "the whole tenant" if {
	"application" in kinds_at_risk(risks)
} else := "the whole tenant" if {
	input.doc.tenant_wide_risk in risks
	kind_readable(input.doc.integration, "delegated")
} else := number_of(sum([number | some risk, number in input.doc.consents; risk in risks]), "account", "accounts")

principal_names := names({person.display_name | some person in input.doc.principals})

# The result of a rule over apps that found nothing.
app_quiet(_) := skipped("not_applicable") if not foreign_app

app_quiet(needs) := skipped("unreadable") if {
	foreign_app
	not readable(input.doc.integration, needs)
}

app_quiet(needs) := passed if {
	foreign_app
	readable(input.doc.integration, needs)
}

# Evidence: the value of a field of an app or an integration.
fact(field, value) := {"field": field, "value": value}

fact_over(field, value, limit) := {"field": field, "value": value, "limit": limit}
