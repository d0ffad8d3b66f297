# Functions that the checks of SharePoint, Teams, Power Platform, Power BI and exposures share.
package watchpost.checklib_workloads

import rego.v1

import data.watchpost.checklib as lib

default strict := false

# The strict reading of exports. The full name is necessary: within the functions of a library, the evaluator loses rules
# (not functions) that are imported under a short name.
strict if data.watchpost.checklib.scuba

# -- Reading ---------------------------------------------------------------------------------------------------------

# The reason why a document is missing, in words.
unread(path) := sprintf("%s could not be read (%s)", [path, input.doc.unreadable[path].state]) if {
	input.doc.unreadable[path]
} else := sprintf("%s has no data to judge", [path]) if {
	lib.has(path)
} else := sprintf("%s has not been read", [path])

# The verdict where a document is missing.
unreadable(path) := lib.skipped("unreadable", unread(path))

# The verdict where documents lack fields that the check needs.
lacks(path, fields) := unreadable(path) if {
	not lib.has(path)
} else := unreadable(path) if {
	count(objects(path)) == 0
} else := lib.skipped("unreadable", sprintf("%s lacks %s", [path, concat(" and ", fields)]))

# Rows that are objects. An export may hold the string "null" or a nested list.
objects(path) := [row |
	some row in lib.rows(path)
	is_object(row)
] if {
	lib.has(path)
} else := []

# Fields of a list that a row lacks.
missing(row, fields) := [field |
	some field in fields
	object.get(row, field, null) == null
]

# A field's value, null where it is absent.
value(row, field) := object.get(row, field, null)

# -- Sentences -------------------------------------------------------------------------------------------------------

clip(text) := substring(text, 0, 120)

# At most four names: `Ledger, Sales, Support, Legal and 3 more`.
names(xs) := concat(", ", [clip(x) | some x in xs]) if {
	count(xs) <= 4
} else := sprintf("%s and %d more", [
	concat(", ", [clip(x) | some x in array.slice(xs, 0, 4)]),
	count(xs) - 4,
])

# `1 policy`, `3 policies`.
number_of(n, one, _) := sprintf("1 %s", [one]) if n == 1

number_of(n, _, many) := sprintf("%d %s", [n, many]) if n != 1

# `lets` for one thing, `let` for several.
verb(n, one, _) := one if n == 1

verb(n, _, many) := many if n != 1

on_off(flag) := "on" if flag == true

on_off(flag) := "off" if flag == false

# The first thousand of a list: as many entities as an answer may have.
first(xs) := array.slice(xs, 0, 1000)

# -- SharePoint ------------------------------------------------------------------------------------------------------

spo_path := "sharepoint/Tenant"

spo_graph_path := "admin/sharepoint/settings"

spo := row if {
	some index, row in objects(spo_path)
	index == 0
}

spo_graph := row if {
	some index, row in objects(spo_graph_path)
	index == 0
}

# The scope of sharing, by its name in a document: 0 the organization, 1 new and existing guests, 2 anyone with the link,
# 3 existing guests.
sharing_words := {
	"0": 0,
	"disabled": 0,
	"1": 1,
	"externalusersharingonly": 1,
	"2": 2,
	"externaluserandguestsharing": 2,
	"3": 3,
	"existingexternalusersharingonly": 3,
}

reach(value) := value if {
	is_number(value)
	value in {0, 1, 2, 3}
}

reach(value) := sharing_words[lower(value)] if is_string(value)

reach_title(0) := "people in the organization only"

reach_title(1) := "new and existing guests"

reach_title(2) := "anyone with the link"

reach_title(3) := "existing guests"

# SharePoint's sharing scope, from the tenant document or else from Graph's (not in the strict reading of exports).
spo_sharing := reach(spo.SharingCapability) if {
	reach(spo.SharingCapability)
} else := reach(spo_graph.sharingCapability) if {
	not strict
	reach(spo_graph.sharingCapability)
}

# The fields that the tenant document lacks.
spo_missing(fields) := missing(spo, fields) if {
	spo
} else := fields

# Whether a check that doesn't apply may be skipped although fields are missing. The strict reading of exports requires all
# fields.
spo_may_skip(_) if not strict

spo_may_skip(fields) if {
	strict
	count(spo_missing(fields)) == 0
}

spo_needs(fields) := lacks(spo_path, spo_missing(fields))

# -- Teams -----------------------------------------------------------------------------------------------------------

# A policy's name, without the prefix that Teams adds to every policy but the global one.
policy_name(row) := trim_prefix(row.Identity, "Tag:") if {
	is_string(object.get(row, "Identity", null))
} else := "(unnamed)"

# Rows of a Teams document that aren't exempted.
teams_rows(path) := [row |
	some row in objects(path)
	not exempt_policy(row)
]

exempt_policy(row) if {
	identity := object.get(row, "Identity", null)
	is_string(identity)
	lower(identity) in (lib.exempt("policy") | lib.exempt("*"))
}

exempt_policy(row) if lower(policy_name(row)) in (lib.exempt("policy") | lib.exempt("*"))

# The policy for everyone who has no other one.
teams_global(path) := row if {
	found := [each |
		some each in objects(path)
		lower(policy_name(each)) == "global"
	]
	row = found[0]
}

switched_on(rows, field) := [row |
	some row in rows
	row[field] == true
]

# Whether a switch is known in every row. The strict reading of exports treats a missing switch as off.
known_switch(rows, _) if {
	strict
	count(rows) > 0
}

known_switch(rows, field) if {
	count(rows) > 0
	every row in rows {
		is_boolean(row[field])
	}
}

policy_names(rows) := sort([policy_name(row) | some row in rows])

policy_entities(rows) := first([{"type": "policy", "id": object.get(row, "Identity", policy_name(row)), "name": policy_name(row)} |
	some row in rows
])

# `Meeting policy Global lets`, `Meeting policies Global, Sales let`
subject(rows, one, many) := sprintf("%s %s", [
	verb(count(rows), one, many),
	names(policy_names(rows)),
])

switches(rows, field) := {policy_name(row): value(row, field) | some row in rows}

evidence(rows, fields) := [object.union({"policy": policy_name(row)}, {field: value(row, field) | some field in fields}) |
	some row in array.slice(rows, 0, 50)
]

# Whether the tenant is in a government cloud, which lacks some features of Teams. The plain one (GCC) lacks them, too. The
# names of its plans show it.
government if lib.feature("government") == true

government if lib.feature("gcc") == true

government if {
	some tenant in objects("teams/TenantInfo")
	some plan in lib.as_list(object.get(tenant, "AssignedPlan", []))
	is_string(plan)
	some mark in {"GCC", "DOD"}
	contains(upper(plan), mark)
}

# Whether an export asked for the tenant and got nothing, so that its cloud is unknown.
tenant_info_empty if {
	lib.has("teams/TenantInfo")
	count(objects("teams/TenantInfo")) == 0
}

federation_path := "teams/FederationConfiguration"

# Whether a federation object names at least one domain.
names_domains(row) if count(allowed_domains(row)) > 0

allowed_domains(row) := {name |
	some entry in lib.as_list(object.get(row, "AllowedDomains", []))
	some name in domain_names(entry)
}

domain_names(entry) := [entry] if {
	is_string(entry)
	entry != ""
	not startswith(lower(entry), "allowallknowndomains")
} else := [name |
	some inner in lib.as_list(object.get(entry, "AllowedDomain", object.get(entry, "Domain", [])))
	name := domain_text(inner)
	name != ""
] if {
	is_object(entry)
} else := []

domain_text(inner) := trim_prefix(inner, "Domain=") if {
	is_string(inner)
} else := object.get(inner, "Domain", "") if {
	is_object(inner)
} else := ""

# Federation objects that allow every external domain.
open_federation := [row |
	some row in teams_rows(federation_path)
	row.AllowFederatedUsers == true
	domains_told(row)
	not names_domains(row)
]

# Whether a federation object tells the allowed domains. Null is an empty list; the strict reading of exports takes an absent
# list for an empty one.
domains_told(_) if strict

domains_told(row) if {
	not strict
	"AllowedDomains" in object.keys(row)
}

# Whether it is known of every federation object which domains it allows.
federation_known(rows) if {
	known_switch(rows, "AllowFederatedUsers")
	count([row | some row in rows; row.AllowFederatedUsers == true; not domains_told(row)]) == 0
}

# Federation objects that let people with personal Teams accounts start chats.
consumer_inbound := [row |
	some row in teams_rows(federation_path)
	row.AllowTeamsConsumer == true
	row.AllowTeamsConsumerInbound == true
]

# -- Teams apps ------------------------------------------------------------------------------------------------------

app_policies_path := "teams/AppPermissionPolicy"

app_settings_path := "teams/TenantAppSettings"

# The tenant-wide setting for a family of apps, where the tenant has these settings.
app_switch(name) := setting.SettingValue if {
	found := [each |
		some each in objects(app_settings_path)
		each.SettingName == name
	]
	setting = found[0]
}

# Policies that allow every app except listed ones.
open_app_policies(field) := [row |
	some row in teams_rows(app_policies_path)
	row[field] == "BlockedAppList"
]

# The verdict for a family of apps. `name` is the tenant-wide setting, `field` the policies' field, `apps` the family's
# name in sentences.
app_verdict(name, field, apps) := lib.passed(sprintf("No %s can be used without approval", [apps]), {name: "None"}) if {
	app_switch(name) == "None"
} else := lib.failed(
	sprintf("The tenant-wide app setting %s is %s instead of None, so people can use %s without approval", [name, clip(app_switch(name)), apps]),
	{name: app_switch(name)},
	[{"setting": name, "value": app_switch(name)}],
) if {
	is_string(app_switch(name))
} else := app_policies_verdict(field, apps)

# The verdict from the policies alone.
app_policies_verdict(field, apps) := lib.failed_entities(
	sprintf("%s %s all %s except listed ones, so people can use apps without approval", [
		subject(open_app_policies(field), "App permission policy", "App permission policies"),
		verb(count(open_app_policies(field)), "allows", "allow"),
		apps,
	]),
	switches(open_app_policies(field), field),
	evidence(open_app_policies(field), [field]),
	policy_entities(open_app_policies(field)),
) if {
	count(open_app_policies(field)) > 0
} else := lib.passed(
	sprintf("Every app permission policy allows only listed %s", [apps]),
	switches(teams_rows(app_policies_path), field),
) if {
	known_app_field(field)
} else := lacks(app_policies_path, [field])

known_app_field(field) if {
	all_rows := objects(app_policies_path)
	count(all_rows) > 0
	every row in all_rows {
		is_string(row[field])
	}
}

# -- Power Platform --------------------------------------------------------------------------------------------------

pp_settings_path := "powerplatform/TenantSettings"

pp_dlp_path := "powerplatform/DlpPolicies"

pp_environments_path := "powerplatform/Environments"

# The verdict for one tenant switch that has to be true. `good` and `bad` are sentences.
pp_switch(field, good, bad) := lib.failed(bad, {field: false}, [{"setting": field, "value": false}]) if {
	count([row | some row in objects(pp_settings_path); row[field] == false]) > 0
} else := lib.passed(good, {field: true}) if {
	count(objects(pp_settings_path)) > 0
	every row in objects(pp_settings_path) {
		row[field] == true
	}
} else := lacks(pp_settings_path, [field])

# Data policies. An export may wrap them in another `value`.
pp_policies := [policy |
	some row in objects(pp_dlp_path)
	some policy in lib.as_list(object.get(row, "value", row))
	is_object(policy)
]

policy_title(policy) := policy.displayName if {
	is_string(object.get(policy, "displayName", null))
	policy.displayName != ""
} else := object.get(policy, "name", "(unnamed)")

# Names of the environments that a policy lists.
listed(policy) := {lower(environment.name) |
	some environment in lib.as_list(object.get(policy, "environments", []))
	is_object(environment)
	is_string(object.get(environment, "name", null))
}

# Policies that don't tell which environments they cover.
pp_vague := [policy |
	some policy in pp_policies
	not is_string(object.get(policy, "environmentType", null))
	not is_array(object.get(policy, "environments", null))
]

# The verdict where a policy that doesn't tell its environments could cover them.
pp_vague_verdict := lib.skipped("unreadable", sprintf("%s doesn't tell the environments of %s", [
	pp_dlp_path,
	names([policy_title(policy) | some policy in pp_vague]),
])) if {
	not strict
	count(pp_vague) > 0
}

# Whether a policy covers an environment.
covers(policy, _) if policy.environmentType == "AllEnvironments"

covers(policy, name) if {
	policy.environmentType == "ExceptEnvironments"
	not lower(name) in listed(policy)
}

# A policy that lists environments without a type covers those.
covers(policy, name) if {
	not policy.environmentType in {"AllEnvironments", "ExceptEnvironments"}
	lower(name) in listed(policy)
}

covered(name) if {
	some policy in pp_policies
	covers(policy, name)
}

# Environments from PowerShell or from the REST API, in one shape. A nested list is flattened, except in the strict reading
# of exports.
pp_environments := [environment |
	some row in pp_environment_rows
	environment = pp_environment(row)
]

pp_environment_rows := objects(pp_environments_path) if {
	strict
} else := array.concat(objects(pp_environments_path), [inner |
	some row in lib.rows(pp_environments_path)
	is_array(row)
	some inner in row
	is_object(inner)
])

pp_environment(row) := {"name": row.EnvironmentName, "title": object.get(row, "DisplayName", row.EnvironmentName), "default": object.get(row, "IsDefault", false)} if {
	is_string(object.get(row, "EnvironmentName", null))
} else := {"name": row.name, "title": object.get(properties, "displayName", row.name), "default": object.get(properties, "isDefault", false)} if {
	is_string(object.get(row, "name", null))
	properties := object.get(row, "properties", {})
}

# Environments that are marked as the default.
marked_default := [environment.name |
	some environment in pp_environments
	environment.default == true
]

# The default environment is named after the tenant.
default_environment := marked_default[0] if {
	count(marked_default) > 0
	not strict
} else := sprintf("Default-%s", [input.doc.tenant]) if {
	is_string(input.doc.tenant)
	input.doc.tenant != ""
}

# -- Power BI --------------------------------------------------------------------------------------------------------

pbi_path := "powerbi/TenantSettings"

pbi_setting(name) := setting if {
	found := [row |
		some row in pbi_rows
		row.settingName == name
		is_boolean(row.enabled)
	]
	setting = found[0]
}

# Settings. The API wraps them in `tenantSettings`.
pbi_rows := [setting |
	some row in objects(pbi_path)
	some setting in lib.as_list(object.get(row, "tenantSettings", row))
	is_object(setting)
]

# The groups that a setting is limited to.
pbi_groups(setting) := [object.get(group, "name", object.get(group, "graphId", "(unnamed)")) |
	some group in lib.as_list(object.get(setting, "enabledSecurityGroups", []))
	is_object(group)
]

# The strict reading of exports requires a known license. Our reading accepts any settings that could be read.
pbi_unlicensed if lib.feature("powerbi") == false

pbi_unlicensed if {
	strict
	not lib.feature("powerbi") == true
}

pbi_no_license := lib.skipped("unlicensed", "The tenant has no Power BI license, so its settings can't be judged")

pbi_needs(name) := lib.skipped("unreadable", sprintf("%s has no setting %s", [pbi_path, name])) if {
	lib.has(pbi_path)
	count(pbi_rows) > 0
} else := unreadable(pbi_path)

# The verdict for a setting that has to be `wanted`.
pbi_switch(name, wanted, good, bad) := pbi_no_license if {
	pbi_unlicensed
} else := lib.passed(good, {name: wanted}) if {
	pbi_setting(name).enabled == wanted
} else := lib.failed(bad, {name: pbi_setting(name).enabled}, [{"setting": name, "enabled": pbi_setting(name).enabled}]) if {
	pbi_setting(name)
} else := pbi_needs(name)

# The verdict for a setting that has to be off or limited to groups. `what` completes "… is off".
pbi_limited(name, what, bad) := pbi_no_license if {
	pbi_unlicensed
} else := lib.passed(sprintf("%s is off", [what]), {name: false}) if {
	pbi_setting(name).enabled == false
} else := lib.passed(
	sprintf("%s is limited to %s", [what, names(pbi_groups(pbi_setting(name)))]),
	{name: true, "groups": array.slice(pbi_groups(pbi_setting(name)), 0, 20)},
) if {
	count(pbi_groups(pbi_setting(name))) > 0
} else := lib.failed(bad, {name: true, "groups": []}, [{"setting": name, "enabled": true, "groups": 0}]) if {
	pbi_setting(name)
} else := pbi_needs(name)

# -- Listed items ----------------------------------------------------------------------------------------------------

# The first of some fields that holds a string or a number, as a string.
text(row, fields) := texts(row, fields)[0] if {
	count(texts(row, fields)) > 0
} else := "(unnamed)"

texts(row, fields) := [as_text(row[field]) |
	some field in fields
	as_text(row[field]) != ""
]

as_text(thing) := thing if is_string(thing)

as_text(thing) := sprintf("%v", [thing]) if is_number(thing)

# Whether an item is exempted, by one of its fields.
exempted(row, fields, kinds) if {
	some field in fields
	some kind in kinds | {"*"}
	lower(as_text(row[field])) in lib.exempt(kind)
}

# Items as the entities of a verdict.
entities(kind, rows, ids, titles) := first([{"type": kind, "id": text(row, ids), "name": text(row, titles)} | some row in rows])

# -- Calendars -------------------------------------------------------------------------------------------------------

# The details that a sharing rule shows: 1 free and busy times, 2 subjects and places, 3 everything.
calendar_levels := {"calendarsharingfreebusysimple": 1, "calendarsharingfreebusydetail": 2, "calendarsharingfreebusyreviewer": 3}

# Whether every enabled sharing policy of Exchange tells its domains. Null is an empty list.
sharing_told if {
	lib.has("exchange/SharingPolicy")
	count([policy |
		some policy in objects("exchange/SharingPolicy")
		object.get(policy, "Enabled", true) == true
		not "Domains" in object.keys(policy)
	]) == 0
}

# The calendars that enabled sharing policies of Exchange publish to anyone.
anonymous_calendars := [{"policy": text(policy, ["Name", "Identity", "Id"]), "entry": clip(entry), "level": level} |
	some policy in objects("exchange/SharingPolicy")
	object.get(policy, "Enabled", true) == true
	some entry in lib.as_list(object.get(policy, "Domains", []))
	is_string(entry)
	startswith(lower(entry), "anonymous:")
	level = max({each |
		some action in split(trim_prefix(lower(entry), "anonymous:"), ",")
		each = calendar_levels[trim_space(action)]
	})
]

# -- Google Workspace ------------------------------------------------------------------------------------------------

# Policies of one type, as `{unit, value}`. A policy that an administrator set for a unit hides the vendor's default there.
google_policies(type) := [{"unit": google_unit(row), "value": row.setting.value} |
	some row in google_rows(type)
	not hidden(row, type)
]

google_rows(type) := [row |
	some row in objects("cloudidentity/policies")
	endswith(row.setting.type, type)
	is_object(row.setting.value)
]

google_unit(row) := text(object.get(row, "policyQuery", {}), ["orgUnit", "group"])

hidden(row, type) if {
	object.get(row, "type", "") == "SYSTEM"
	some other in google_rows(type)
	object.get(other, "type", "") == "ADMIN"
	google_unit(other) == google_unit(row)
}

# -- Apps ------------------------------------------------------------------------------------------------------------

# The datasets among `needs` that are unreadable for an app.
app_unread(app, needs) := [dataset |
	some dataset in needs
	dataset in object.get(app.integration, "unreadable", [])
]

# Whether an app is in use, is not the platform vendor's own, and is not exempted.
foreign_app(app) if {
	app.first_party == false
	app.enabled == true
	not app_exempt(app)
}

kind_dataset := {
	"delegated": "grants",
	"application": "app_grants",
	"sso_assignment": "app_assignments",
	"token": "tokens",
}

kind_known(app, kind) if {
	dataset = kind_dataset[kind]
	not dataset in object.get(app.integration, "unreadable", [])
}

app_exempt(app) if exempted(app, ["id", "name"], {"app", "application"})
