# What the Entra checks share: Conditional Access, licenses, privileged roles, limits on app credentials.
package watchpost.checklib_entra

import data.watchpost.checklib as lib
import rego.v1

# -- Reading ---------------------------------------------------------------------------------------------------------

# The value at a path of keys. Undefined where a key is missing or the value is null.
at(thing, keys) := found if {
	is_object(thing)
	found := object.get(thing, keys, null)
	not is_null(found)
}

# The non-empty strings at a path of keys. A bare string counts as a list of one, because PowerShell unwraps such lists.
texts(thing, keys) := {item | some item in lib.as_list(at(thing, keys)); is_string(item); item != ""}

lower_texts(thing, keys) := lib.lower_set(texts(thing, keys))

name_of(thing) := thing.displayName if {
	is_string(thing.displayName)
	thing.displayName != ""
} else := thing.id if {
	is_string(thing.id)
} else := "(unnamed)"

names(things) := lib.join({sprintf("\"%s\"", [substring(name_of(thing), 0, 80)]) | some thing in things})

# The authorization policies, which define what users and guests may do. Every tenant has one.
authorization := [policy | some policy in lib.rows("policies/authorizationPolicy"); is_object(policy)]

# A value of the authorization policies, one for each policy that has it.
authorized(keys) := [found | some policy in authorization; found = at(policy, keys)]

# The verdict for one boolean of the authorization policy.
switch(keys, wanted, good, bad) := lib.skipped("unreadable", "The authorization policy doesn't report this setting") if {
	count(authorized(keys)) == 0
} else := lib.passed(good, wanted) if {
	count([found | some found in authorized(keys); found != wanted]) == 0
} else := lib.failed(bad, authorized(keys)[0], [{"setting": concat(".", keys), "value": found} |
	some found in authorized(keys)
	found != wanted
])

# -- License ---------------------------------------------------------------------------------------------------------

plans := [plan | some sku in lib.rows("subscribedSkus"); some plan in lib.list(sku, "servicePlans"); is_object(plan)]

# A plan without a state counts, because old exports leave the state out.
premium_plan if {
	some plan in plans
	plan.servicePlanName == "AAD_PREMIUM_P2"
	object.get(plan, "provisioningStatus", "Success") == "Success"
}

default premium := "unknown"

# Whether the tenant has Entra ID P2: `yes`, `no` or `unknown`.
premium := "yes" if {
	premium_plan
} else := "yes" if {
	lib.feature("entra_p2") == true
} else := "no" if {
	lib.feature("entra_p2") == false
} else := "no" if {
	lib.has("subscribedSkus")
}

# The verdict of a check that needs Entra ID P2 in a tenant without it. `gap` ends a sentence: "…, so {gap}".
without_premium(gap) := lib.skipped("unreadable", "It is unknown whether the tenant has Entra ID P2") if {
	premium == "unknown"
} else := lib.failed(sprintf("The tenant has no Entra ID P2 license, so %s", [gap]), "no Entra ID P2", []) if {
	input.params.strict_license == true
} else := lib.skipped("unlicensed", "This check needs Entra ID P2, which the tenant doesn't have")

# -- Conditional Access ----------------------------------------------------------------------------------------------

ca_path := "identity/conditionalAccess/policies"

policies := [policy | some policy in lib.rows(ca_path); is_object(policy)]

grants(policy) := texts(policy, ["grantControls", "builtInControls"])

blocks(policy) if "block" in grants(policy)

combinations(policy) := texts(policy, ["grantControls", "authenticationStrength", "allowedCombinations"])

phishing_resistant := {"windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"}

second_factors := {"microsoftAuthenticatorPush", "softwareOath", "hardwareOath", "sms", "voice"}

multi_factor := ((phishing_resistant | {
	"deviceBasedPush",
	"temporaryAccessPassOneTime",
	"temporaryAccessPassMultiUse",
	"federatedMultiFactor",
}) | {sprintf("password,%s", [factor]) | some factor in second_factors}) | {sprintf("%s,federatedSingleFactor", [factor]) | some factor in second_factors}

demands_phishing_resistant(policy) if {
	count(combinations(policy)) > 0
	count(combinations(policy) - phishing_resistant) == 0
}

all_users(policy) if "all" in lower_texts(policy, ["conditions", "users", "includeUsers"])

all_apps(policy) if "all" in lower_texts(policy, ["conditions", "applications", "includeApplications"])

no_excluded_roles(policy) if count(texts(policy, ["conditions", "users", "excludeRoles"])) == 0

# Whether a policy applies to all users and apps and excludes no role, regardless of its state and other exclusions.
for_everyone(policy) if {
	all_users(policy)
	all_apps(policy)
	no_excluded_roles(policy)
}

enabled(found) := [policy | some policy in found; policy.state == "enabled"]

# -- Exclusions ------------------------------------------------------------------------------------------------------

people := {"user", "group", "guest_user_type"}

people_and_apps := {"user", "group", "guest_user_type", "application"}

excluded_of_kind(policy, "user") := texts(policy, ["conditions", "users", "excludeUsers"])

excluded_of_kind(policy, "role") := texts(policy, ["conditions", "users", "excludeRoles"])

excluded_of_kind(policy, "group") := texts(policy, ["conditions", "users", "excludeGroups"])

excluded_of_kind(policy, "application") := texts(policy, ["conditions", "applications", "excludeApplications"])

excluded_of_kind(policy, "agent") := texts(policy, ["conditions", "clientApplications", "excludeAgentIdServicePrincipals"])

# Types of guests are a comma-separated string.
excluded_of_kind(policy, "guest_user_type") := {trim_space(word) |
	some text in texts(policy, ["conditions", "users", "excludeGuestsOrExternalUsers", "guestOrExternalUserTypes"])
	some word in split(text, ",")
	trim_space(word) != ""
}

exempt(kind) := lib.exempt(kind) | lib.exempt("*") if kind != "agent"

# An agent is declared like an app.
exempt("agent") := lib.exempt("application") | lib.exempt("*")

# The exclusions of a policy that aren't declared as exemptions.
undeclared(policy, kinds) := [{"type": kind, "id": id} |
	some kind in kinds
	some id in excluded_of_kind(policy, kind)
	not lower(id) in exempt(kind)
]

kind_words := {
	"user": ["user", "users"],
	"group": ["group", "groups"],
	"role": ["role", "roles"],
	"application": ["app", "apps"],
	"agent": ["agent", "agents"],
	"guest_user_type": ["guest type", "guest types"],
}

# `2 users, 1 group`
counted(excluded) := concat(", ", [lib.number_of(number, kind_words[kind][0], kind_words[kind][1]) |
	some kind in ["user", "group", "role", "guest_user_type", "application", "agent"]
	number := count([1 | some thing in excluded; thing.type == kind])
	number > 0
])

# -- The published verdict on Conditional Access ---------------------------------------------------------------------

# CISA's published reading, for the profile `scuba`: one policy, whose other conditions and grants don't matter. Watchpost's
# own reading is in `lib_access.rego`.

# `found`: policies in any state that have the required scope and do what the check requires.
# `words`: `does` ("blocks legacy authentication") and `so` ("so a stolen password is enough").
# Evaluated twice, with the exclusions as they are and as if all were declared, because undeclared exclusions are the most
# common reason for a failure.
ca_verdict(found, kinds, words) := lib.passed(sprintf("An enabled Conditional Access policy %s: %s", [words.does, names(clean(found, kinds))]), described(clean(found, kinds), kinds)) if {
	count(clean(found, kinds)) > 0
} else := object.union(lib.failed(excluding(nearest(found, kinds), kinds, words), described(enabled(found), kinds), described(enabled(found), kinds)), {
	"details": "The check passes if the exclusions are declared as exemptions of this check",
	"would_pass": {
		"if": sprintf("the exclusions of \"%s\" were declared as exemptions", [substring(name_of(nearest(found, kinds)), 0, 80)]),
		"excluded": [thing.id | some thing in array.slice(undeclared(nearest(found, kinds), kinds), 0, 200)],
	},
}) if {
	count(enabled(found)) > 0
} else := lib.failed(
	sprintf("No enabled Conditional Access policy %s (%s %s off or in report-only mode), %s", [
		words.does, names(found), is_or_are(found), words.so,
	]),
	described(found, kinds),
	described(found, kinds),
) if {
	count(found) > 0
} else := lib.failed(
	sprintf("No Conditional Access policy %s (%s checked), %s", [words.does, lib.number_of(count(policies), "policy", "policies"), words.so]),
	{"policies": count(policies), "enabled": count(enabled(policies))},
	[],
)

is_or_are(found) := "is" if count(found) == 1

is_or_are(found) := "are" if count(found) != 1

clean(found, kinds) := [policy | some policy in enabled(found); count(undeclared(policy, kinds)) == 0]

# The enabled policy with the fewest exclusions to declare.
nearest(found, kinds) := [policy |
	some policy in enabled(found)
	count(undeclared(policy, kinds)) == min([count(undeclared(other, kinds)) | some other in enabled(found)])
][0]

excluding(policy, kinds, words) := sprintf("\"%s\" %s but excludes %s without a declared exemption, %s", [
	substring(name_of(policy), 0, 80), words.does, counted(undeclared(policy, kinds)), words.so,
])

described(found, kinds) := [{
	"policy": substring(name_of(policy), 0, 200),
	"state": object.get(policy, "state", null),
	"excluded": array.slice(undeclared(policy, kinds), 0, 50),
} |
	some policy in array.slice(found, 0, 20)
]

# The policies that require phishing-resistant sign-in for everyone, which is stricter than what weaker checks require.
phishing_resistant_for_all := [policy |
	some policy in clean([one | some one in policies; for_everyone(one)], people_and_apps)
	demands_phishing_resistant(policy)
]

# -- Privileged roles ------------------------------------------------------------------------------------------------

# Global, Privileged Role, User, SharePoint, Exchange, Hybrid Identity, Application and Cloud Application Administrator.
privileged_templates := {
	"62e90394-69f5-4237-9190-012177145e10",
	"e8611ab8-c189-46e8-94e1-60213ab1f814",
	"fe930be7-5e62-47db-91af-98c3a49a38b1",
	"f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
	"29232cdf-9323-42fd-ade2-1d097af3e4de",
	"8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
	"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
	"158c047a-c907-4556-b7ef-446551a6b5f7",
}

roles := [role | some role in lib.rows("directory/privilegedRoles"); is_object(role)]

# The template ids of the tenant's privileged roles.
role_templates := tenant_templates if {
	count(tenant_templates) > 0
} else := privileged_templates

tenant_templates := {lower(role.roleTemplateId) | some role in roles; is_string(role.roleTemplateId)}

covers_privileged_roles(policy) if count(role_templates - lower_texts(policy, ["conditions", "users", "includeRoles"])) == 0

global_administrator(role) if role.displayName == "Global Administrator"

other_role(role) if not global_administrator(role)

role_rules(found, ids) := [{"role": name_of(role), "rule": rule} |
	some role in found
	some rule in lib.list(role, "rules")
	is_object(rule)
	rule.id in ids
]

# The source of a rule: the role itself, or a group that grants it.
rule_source(item) := sprintf("%s (%s)", [item.rule.ruleSource, lower(item.rule.ruleSourceType)]) if {
	is_string(item.rule.ruleSource)
	is_string(item.rule.ruleSourceType)
} else := item.role

# Roles whose assignments weren't reported, and assignments without a field, as `role: field`. A tenant always has roles.
unreported_assignments(field) := ({"the privileged roles" | count(roles) == 0} | {sprintf("the assignments of %s", [name_of(role)]) |
	some role in roles
	not "assignments" in object.keys(role)
}) | {sprintf("%s of an assignment of %s", [field, name_of(role)]) |
	some role in roles
	some assignment in lib.list(role, "assignments")
	not field in object.keys(assignment)
}

# Rules without additional recipients. Microsoft's default recipients are the holders of the roles, not a monitored mailbox.
silent(items) := {rule_source(item) |
	some item in items
	has_recipients_field(item.rule)
	count(recipients(item.rule)) == 0
}

# A blank recipient is none, except in the published reading.
recipients(rule) := lib.list(rule, "notificationRecipients") if input.profile == "scuba"

recipients(rule) := [recipient |
	some recipient in lib.list(rule, "notificationRecipients")
	is_string(recipient)
	trim_space(recipient) != ""
] if {
	input.profile != "scuba"
}

has_recipients_field(rule) if "notificationRecipients" in object.keys(rule)

# Rules that don't report their recipients.
untold_recipients(items) := {rule_source(item) |
	some item in items
	not has_recipients_field(item.rule)
}

# A verdict on notification rules. `words`: `when` ("when the role is activated") and `so`.
alert_verdict(items, words) := lib.skipped("unreadable", "The notification rules of the roles were not read") if {
	input.profile != "scuba"
	count(items) == 0
} else := lib.skipped("unreadable", sprintf("%s: the recipients of notifications were not reported", [lib.join(untold_recipients(items))])) if {
	input.profile != "scuba"
	count(silent(items)) == 0
	count(untold_recipients(items)) > 0
} else := lib.passed(sprintf("An email notification is sent %s", [words.when]), {"rules": count(items)}) if {
	count(silent(items)) == 0
} else := lib.failed_entities(
	sprintf("%s: no email notification is sent %s, %s", [lib.join(silent(items)), words.when, words.so]),
	{"without_recipients": silent(items)},
	[{"source": source, "recipients": 0} | some source in silent(items)],
	[{"type": "role", "id": source, "name": source} | some source in silent(items)],
)

# The exempted holders of role assignments: break-glass accounts and their groups.
exempt_holders := ((lib.exempt("role_user") | lib.exempt("role_group")) | lib.exempt("*")) | exempt_accounts

# The published reading has exemptions only for role assignments.
default exempt_accounts := set()

exempt_accounts := lib.exempt("user") | lib.exempt("group") if input.profile != "scuba"

holders := [holder | some holder in lib.rows("directory/privilegedUsers"); is_object(holder)]

names_by_id := {lower(holder.id): name_of(holder) |
	some holder in holders
	is_string(object.get(holder, "id", null))
}

# The name of a principal, if it is among the accounts with privileged roles that were read. Apps and groups aren't.
principal_name(id) := object.get(names_by_id, lower(id), "an app, a group or an account whose name was not read")

# The key that identifies a holder. CISA's reading uses names.
holder_key(holder) := name_of(holder) if input.profile == "scuba"

holder_key(holder) := object.get(holder, "id", name_of(holder)) if input.profile != "scuba"

is_global(holder) if "Global Administrator" in texts(holder, ["roles"])

global_administrators := {holder_key(holder) | some holder in holders; is_global(holder)}

lesser_administrators := {holder_key(holder) | some holder in holders; not is_global(holder)}

global_most := object.get(input.params, "most", 8)

global_least := object.get(input.params, "least", 2)

global_count_good if {
	count(global_administrators) <= global_most
	count(global_administrators) >= global_least
}

# -- Limits on app credentials ---------------------------------------------------------------------------------------

app_default := lib.one("policies/defaultAppManagementPolicy")

app_sides := {"applicationRestrictions": "applications", "servicePrincipalRestrictions": "service principals"}

# A restriction of a side of the tenant-wide policy.
app_restrictions(side, list, type) := [restriction |
	some restriction in lib.as_list(at(app_default, [side, list]))
	is_object(restriction)
	restriction.restrictionType == type
]

# Year 1, or no date: for all apps, not only for those created later.
for_all_apps(restriction) if is_null(object.get(restriction, "restrictForAppsCreatedAfterDateTime", null))

for_all_apps(restriction) if startswith(restriction.restrictForAppsCreatedAfterDateTime, "/Date(-6213559680")

for_all_apps(restriction) if startswith(restriction.restrictForAppsCreatedAfterDateTime, "0001-01-01")

# Days of an ISO 8601 duration, rounded down. Undefined if the string isn't a duration.
days(text) := ((whole(parts[1]) * 365) + (whole(parts[2]) * 30)) + ((whole(parts[3]) * 7) + whole(parts[4])) if {
	is_string(text)
	parts = regex.find_all_string_submatch_n(`^P(?:([0-9]{1,4})Y)?(?:([0-9]{1,5})M)?(?:([0-9]{1,5})W)?(?:([0-9]{1,6})D)?(?:T[0-9HMS.]*)?$`, text, 1)[0]
}

whole(text) := to_number(text) if text != ""

whole(text) := 0 if text == ""

# The fault of a restriction. `most` is null where its lifetime doesn't matter.
restriction_fault(restriction, _) := "is off" if restriction.state != "enabled"

restriction_fault(restriction, _) := "covers only apps created after a certain date" if {
	restriction.state == "enabled"
	not for_all_apps(restriction)
}

restriction_fault(restriction, most) := sprintf("allows %s", [lib.number_of(days(restriction.maxLifetime), "day", "days")]) if {
	is_number(most)
	restriction.state == "enabled"
	for_all_apps(restriction)
	days(restriction.maxLifetime) > most
}

restriction_fault(restriction, most) := "sets no lifetime" if {
	is_number(most)
	restriction.state == "enabled"
	for_all_apps(restriction)
	not days(object.get(restriction, "maxLifetime", null))
}

# Fields of the tenant-wide restrictions that weren't reported.
app_unreported(list, type) := {field |
	some side, _ in app_sides
	some restriction in app_restrictions(side, list, type)
	some field in ["state", "restrictForAppsCreatedAfterDateTime"]
	not field in object.keys(restriction)
} | {"isEnabled" | not "isEnabled" in object.keys(app_default)}

default_policy_off if object.get(app_default, "isEnabled", true) == false

# The faults of the tenant-wide policy, per side.
app_faults(list, type, most) := {fault |
	some side, title in app_sides
	not default_policy_off
	some restriction in app_restrictions(side, list, type)
	wrong = restriction_fault(restriction, most)
	fault := {"for": title, "fault": wrong}
} | ({{"for": title, "fault": "is missing"} |
	some side, title in app_sides
	not default_policy_off
	count(app_restrictions(side, list, type)) == 0
} | {{"for": title, "fault": "is not in force because the policy is off"} |
	some _, title in app_sides
	default_policy_off
})

# Policies for individual apps that relax a restriction, with those apps.
app_exceptions(list, type, most) := [{"policy": name_of(policy), "fault": fault, "apps": loosened} |
	some policy in lib.rows("policies/appManagementPolicies")
	is_object(policy)
	object.get(policy, "isEnabled", true) == true
	some restriction in lib.as_list(at(policy, ["restrictions", list]))
	restriction.restrictionType == type
	fault = loosening(restriction, most)
	loosened := [app | some app in lib.as_list(object.get(policy, "appliesTo", [{"id": "unknown"}])); not app_exempt(app)]
	count(loosened) > 0
]

loosening(restriction, _) := "turns it off" if restriction.state != "enabled"

loosening(restriction, most) := sprintf("allows %s", [lib.number_of(days(restriction.maxLifetime), "day", "days")]) if {
	restriction.state == "enabled"
	is_number(most)
	days(restriction.maxLifetime) > most
}

app_exempt(app) if {
	some key in ["id", "appId"]
	lower(app[key]) in (lib.exempt("application") | lib.exempt("*"))
}

# A verdict on one restriction. `words`: `what` ("The block on new app secrets"), `good` and `so`.
app_verdict(list, type, most, words) := lib.skipped("unreadable", "The app management policy was not read") if {
	not app_default
} else := lib.failed_entities(
	sprintf("%s for %s %s, %s", [
		words.what,
		concat(" and ", {fault.for | some fault in app_faults(list, type, most)}),
		concat(" and ", {fault.fault | some fault in app_faults(list, type, most)}),
		words.so,
	]),
	{"faults": app_faults(list, type, most)},
	[fault | some fault in app_faults(list, type, most)],
	[],
) if {
	count(app_faults(list, type, most)) > 0
} else := lib.failed_entities(
	sprintf("%s is relaxed for individual apps by %s, %s", [
		words.what,
		lib.join({sprintf("\"%s\"", [exception.policy]) | some exception in app_exceptions(list, type, most)}),
		words.so,
	]),
	{"exceptions": count(app_exceptions(list, type, most))},
	[{"policy": exception.policy, "fault": exception.fault, "apps": count(exception.apps)} | some exception in app_exceptions(list, type, most)],
	[{"type": "app", "id": object.get(app, "id", "unknown"), "name": name_of(app)} |
		some exception in app_exceptions(list, type, most)
		some app in exception.apps
	],
) if {
	count(app_exceptions(list, type, most)) > 0
} else := lib.skipped("unreadable", sprintf("The app management policy doesn't report %s", [lib.join(app_unreported(list, type))])) if {
	input.profile != "scuba"
	count(app_unreported(list, type)) > 0
} else := lib.skipped("unreadable", "The app management policies for individual apps were not read, and they can relax the restriction") if {
	input.profile != "scuba"
	not lib.has("policies/appManagementPolicies")
} else := lib.passed(words.good, {"restriction": type})
