# Whether Conditional Access does what a check requires, for everyone and without a way round it. The profile `scuba` has its
# own reading: `entra.ca_verdict`.
#
# A policy counts if it is enabled, reaches everyone, and every grant that it accepts meets the demand. What narrows it
# further is of two kinds. Client apps, levels of sign-in risk and of user risk, and platforms have few known values: policies
# that cover all of them together count like one. Any other condition (locations, devices, flows, other risks) disqualifies a
# policy. A field that the source didn't report is unknown, so it makes neither a pass nor a failure.
package watchpost.checklib_access

import data.watchpost.checklib as lib
import data.watchpost.checklib_entra as entra
import rego.v1

# -- What a check requires -------------------------------------------------------------------------------------------

# The values that policies must cover together. An unknown platform is one that Microsoft doesn't recognize by
# what the client claims to be, which an attacker chooses.
risk_levels := {"none", "low", "medium", "high"}

complete := {
	"clients": {"browser", "mobileappsanddesktopclients", "exchangeactivesync", "other"},
	"sign_in_risk": risk_levels,
	"user_risk": risk_levels,
	"platforms": {"android", "ios", "windows", "windowsphone", "macos", "linux", "unknown"},
}

# A specification. `who`: users, administrators or agents. `what`: apps or registration. `own`: the condition that a policy
# for this check has anyway, or nothing. `kinds`: the exclusions to declare.
specified(fields) := object.union(
	{
		"who": "users",
		"what": "apps",
		"own": "",
		"kinds": {"user", "group", "role", "guest_user_type", "application"},
		"needs": complete,
	},
	fields,
)

needing(axis, values) := object.union(complete, {axis: values})

# -- Grants ----------------------------------------------------------------------------------------------------------

controls(policy) := object.get(policy, "grantControls", null)

# What a policy accepts: built-in controls, an authentication strength, custom controls and terms of use. A policy that blocks
# accepts nothing.
alternatives(policy) := {"block"} if {
	entra.blocks(policy)
} else := (({lower(control) | some control in entra.grants(policy)} | {"strength" | strength_id(policy)}) | {"strength" |
	count(entra.combinations(policy)) > 0
}) | ({"custom control" |
	count(entra.texts(policy, ["grantControls", "customAuthenticationFactors"])) > 0
} | {"terms of use" | count(entra.texts(policy, ["grantControls", "termsOfUse"])) > 0})

strength_id(policy) if lower(entra.at(policy, ["grantControls", "authenticationStrength", "id"])) != ""

combinations_key := ["grantControls", "authenticationStrength", "allowedCombinations"]

# The order of the factors of a combination doesn't matter.
normal(combinations) := {concat(",", sort([trim_space(factor) | some factor in split(combination, ",")])) |
	some combination in combinations
}

multi_factor := normal(entra.multi_factor)

# Microsoft's own strengths. A source may name them without their combinations.
built_in_strengths := {
	"00000000-0000-0000-0000-000000000002": multi_factor,
	"00000000-0000-0000-0000-000000000003": entra.phishing_resistant | {"deviceBasedPush"},
	"00000000-0000-0000-0000-000000000004": entra.phishing_resistant,
}

strength(policy) := normal(entra.combinations(policy)) if {
	count(entra.combinations(policy)) > 0
} else := built_in_strengths[lower(entra.at(policy, ["grantControls", "authenticationStrength", "id"]))] if {
	not is_array(entra.at(policy, combinations_key))
}

strength_within(policy, allowed) if {
	found = strength(policy)
	count(found - allowed) == 0
}

managed_devices := {"compliantdevice", "domainjoineddevice"}

# Blocking meets every demand.
meets(_, control, _) if control == "block"

meets(_, "mfa", demand) if demand in {"mfa", "more_than_password"}

meets(policy, "strength", demand) if {
	demand in {"mfa", "more_than_password"}
	strength_within(policy, multi_factor)
}

meets(policy, "strength", "phishing_resistant") if strength_within(policy, entra.phishing_resistant)

meets(_, control, demand) if {
	control in managed_devices
	demand in {"managed_device", "more_than_password"}
}

# The combinations of a strength are unknown.
unsure(policy) := {"strength" |
	"strength" in alternatives(policy)
	not strength(policy)
	not is_array(entra.at(policy, combinations_key))
}

unmet(policy, demand) := {control | some control in alternatives(policy); not meets(policy, control, demand)}

operator(policy) := upper(object.get(controls(policy), "operator", "")) if {
	is_string(object.get(controls(policy), "operator", ""))
} else := ""

# Whether everyone who passes a policy has met the demand: `yes`, `no`, `partly` (another grant is accepted instead) or
# `unknown`.
grant(policy, "short_session") := session(policy)

grant(policy, demand) := "unknown" if {
	demand != "short_session"
	unreported(policy, ["grantControls"])
} else := "no" if {
	demand != "short_session"
	not is_object(controls(policy))
} else := granted_by(policy, alternatives(policy), demand) if {
	demand != "short_session"
}

granted_by(policy, accepted, demand) := granted(policy, good, accepted - good) if {
	good := {control | some control in accepted; meets(policy, control, demand)}
}

granted(policy, good, bad) := "unknown" if {
	count(good | bad) == 0
	unreported(policy, ["grantControls", "builtInControls"])
} else := "no" if {
	count(good | bad) == 0
} else := "yes" if {
	count(bad) == 0
} else := "yes" if {
	operator(policy) == "AND"
	count(good) > 0
} else := "unknown" if {
	operator(policy) == "AND"
	count(unsure(policy)) > 0
} else := "unknown" if {
	count(bad - unsure(policy)) == 0
} else := "unknown" if {
	not operator(policy) in {"AND", "OR"}
	count(good) > 0
} else := "partly" if {
	count(good) > 0
} else := "no"

# -- Sessions --------------------------------------------------------------------------------------------------------

frequency(policy) := entra.at(policy, ["sessionControls", "signInFrequency"])

session(policy) := "unknown" if {
	unreported(policy, ["sessionControls"])
} else := "yes" if {
	entra.at(policy, ["sessionControls", "persistentBrowser", "isEnabled"]) == true
	lower(entra.at(policy, ["sessionControls", "persistentBrowser", "mode"])) == "never"
	frequency(policy).isEnabled == true
	short(frequency(policy))
	not second_factor_only(frequency(policy))
} else := "no"

second_factor_only(limit) if lower(limit.authenticationType) == "secondaryauthentication"

short(limit) if lower(limit.frequencyInterval) == "everytime"

short(limit) if {
	lower(limit.type) == "hours"
	is_number(limit.value)
	limit.value <= input.params.most_hours
}

# -- Who and what ----------------------------------------------------------------------------------------------------

missing := "\u0000missing"

# A field that the source didn't report. A field without a value is reported.
unreported(policy, keys) if object.get(policy, keys, missing) == missing

users_key := ["conditions", "users", "includeUsers"]

roles_key := ["conditions", "users", "includeRoles"]

apps_key := ["conditions", "applications", "includeApplications"]

actions_key := ["conditions", "applications", "includeUserActions"]

agents_key := ["conditions", "clientApplications", "includeAgentIdServicePrincipals"]

reaches_who(policy, _) if entra.all_users(policy)

reaches_who(policy, "users") if unreported(policy, users_key)

reaches_who(policy, "administrators") if entra.covers_privileged_roles(policy)

reaches_who(policy, "administrators") if unreported(policy, roles_key)

reaches_who(policy, "administrators") if unreported(policy, users_key)

reaches_what(policy, "apps") if entra.all_apps(policy)

reaches_what(policy, "apps") if unreported(policy, apps_key)

reaches_what(policy, "registration") if "urn:user:registersecurityinfo" in entra.lower_texts(policy, actions_key)

reaches_what(policy, "registration") if unreported(policy, actions_key)

# Agents aren't users, so the users that a policy includes don't matter.
reaches(policy, spec) if {
	spec.who == "agents"
	reaches_agents(policy)
	reaches_what(policy, spec.what)
	rates_high(policy)
}

reaches(policy, spec) if {
	spec.who != "agents"
	reaches_who(policy, spec.who)
	reaches_what(policy, spec.what)
}

reaches_agents(policy) if "all" in entra.lower_texts(policy, agents_key)

reaches_agents(policy) if unreported(policy, agents_key)

rates_high(policy) if "high" in flags(policy, ["conditions", "agentIdRiskLevels"])

rates_high(policy) if unreported(policy, ["conditions", "agentIdRiskLevels"])

# -- Security defaults -----------------------------------------------------------------------------------------------

defaults_enabled := lib.one("policies/identitySecurityDefaultsEnforcementPolicy").isEnabled

# Whether security defaults are on: `on`, `off` or `unknown`. They can't be on beside an enabled policy, and a tenant with
# policies of any state doesn't count as one that relies on them.
security_defaults := "on" if {
	defaults_enabled == true
} else := "off" if {
	defaults_enabled == false
} else := "off" if {
	count(entra.policies) > 0
} else := "unknown"

# -- Conditions ------------------------------------------------------------------------------------------------------

# Several values in one comma-separated string, or a list.
flags(policy, keys) := {lower(trim_space(word)) |
	some text in entra.texts(policy, keys)
	some word in split(text, ",")
} - {"", "none"}

# The values of each axis that a policy covers. Nothing chosen is everything.
client_apps(policy) := chosen(entra.lower_texts(policy, ["conditions", "clientAppTypes"]), complete.clients)

risks(policy, key) := chosen(entra.lower_texts(policy, ["conditions", key]), risk_levels)

platforms(policy) := chosen(entra.lower_texts(policy, ["conditions", "platforms", "includePlatforms"]), complete.platforms) - entra.lower_texts(policy, ["conditions", "platforms", "excludePlatforms"])

chosen(words, all_values) := all_values if {
	count(words) == 0
} else := all_values if {
	"all" in words
} else := words & all_values

# Conditions that disqualify a policy.
limits(policy, spec) := {kind | some kind in limiting; limited(policy, kind)} | foreign_limits(policy, spec)

limiting := {"locations", "devices", "insider_risk", "service_principal_risk", "app_filter", "agent_filter", "times"}

limited(policy, "locations") if {
	included := entra.lower_texts(policy, ["conditions", "locations", "includeLocations"])
	count(included) > 0
	not "all" in included
}

limited(policy, "locations") if count(entra.texts(policy, ["conditions", "locations", "excludeLocations"])) > 0

limited(policy, "devices") if filtered(policy, ["conditions", "devices", "deviceFilter"])

limited(policy, "devices") if {
	some keys in [
		["devices", "excludeDevices"], ["devices", "excludeDeviceStates"], ["deviceStates", "excludeStates"],
	]
	count(entra.texts(policy, array.concat(["conditions"], keys))) > 0
}

limited(policy, "devices") if {
	some keys in [
		["devices", "includeDevices"], ["devices", "includeDeviceStates"], ["deviceStates", "includeStates"],
	]
	count(entra.lower_texts(policy, array.concat(["conditions"], keys)) - {"all"}) > 0
}

limited(policy, "insider_risk") if count(flags(policy, ["conditions", "insiderRiskLevels"])) > 0

limited(policy, "service_principal_risk") if count(flags(policy, ["conditions", "servicePrincipalRiskLevels"])) > 0

limited(policy, "app_filter") if filtered(policy, ["conditions", "applications", "applicationFilter"])

limited(policy, "agent_filter") if filtered(policy, ["conditions", "clientApplications", "agentIdServicePrincipalFilter"])

limited(policy, "times") if filled(entra.at(policy, ["conditions", "times"]))

# A filter by rule, regardless of whether it includes or excludes.
filtered(policy, keys) if entra.at(policy, array.concat(keys, ["rule"])) != ""

filtered(policy, keys) if entra.at(policy, array.concat(keys, ["mode"])) != ""

# Conditions of other checks.
foreign_limits(policy, spec) := {"flows" |
	spec.own != "flows"
	count(transfers(policy)) > 0
} | ({"flows" |
	spec.own == "flows"
	count(transfers(policy)) > 0
	not "devicecodeflow" in transfers(policy)
} | {"agents" |
	spec.who != "agents"
	count(flags(policy, ["conditions", "agentIdRiskLevels"])) > 0
})

transfers(policy) := flags(policy, ["conditions", "authenticationFlows", "transferMethods"])

# Whether a value says anything: a condition that isn't set is null, empty, or has only such parts.
filled(thing) if {
	not is_object(thing)
	says_something(thing)
}

filled(thing) if {
	is_object(thing)
	count([1 | some part in thing; says_something(part)]) > 0
}

says_something(part) if is_number(part)

says_something(part) if part == true

says_something(part) if {
	is_string(part)
	part != ""
}

says_something(part) if {
	is_array(part)
	count(part) > 0
}

says_something(part) if {
	is_object(part)
	count([1 | some inner in part; not inner in [null, [], {}, "", false]]) > 0
}

# -- Fields that weren't reported -------------------------------------------------------------------------------------

known_conditions := {
	"applications", "users", "clientApplications", "clientAppTypes", "signInRiskLevels", "userRiskLevels", "platforms",
	"locations", "devices", "deviceStates", "authenticationFlows", "insiderRiskLevels", "servicePrincipalRiskLevels",
	"agentIdRiskLevels", "times",
}

# The fields that every source has. Conditions that Microsoft added later are absent from older sources, where no policy
# can have them.
required(spec) := array.concat(
	[
		["state"],
		["conditions", "clientAppTypes"],
		["conditions", "signInRiskLevels"],
		["conditions", "userRiskLevels"],
		["conditions", "platforms"],
		["conditions", "locations"],
		["conditions", "devices"],
	],
	array.concat(required_of_who[spec.who], required_of_what[spec.what]),
)

required_of_who := {
	"users": [users_key, ["conditions", "users", "excludeUsers"], ["conditions", "users", "excludeGroups"], ["conditions", "users", "excludeRoles"]],
	"administrators": [users_key, ["conditions", "users", "excludeUsers"], ["conditions", "users", "excludeGroups"], ["conditions", "users", "excludeRoles"]],
	"agents": [agents_key, ["conditions", "agentIdRiskLevels"]],
}

required_of_what := {
	"apps": [apps_key, ["conditions", "applications", "excludeApplications"]],
	"registration": [actions_key],
}

# The fields that leave a policy's effect open. A condition that Watchpost doesn't know is one of them.
doubts(policy, spec, granting) := ({concat(".", keys) | some keys in required(spec); unreported(policy, keys)} | {"includeRoles" |
	spec.who == "administrators"
	not entra.all_users(policy)
	unreported(policy, roles_key)
}) | ({grant_field(spec) | granting == "unknown"} | {sprintf("conditions.%s", [lib.short(key)]) |
	some key, condition in conditions(policy)
	not key in known_conditions
	not startswith(key, "@")
	filled(condition)
})

conditions(policy) := policy.conditions if {
	is_object(object.get(policy, "conditions", null))
} else := {}

grant_field(spec) := "sessionControls" if spec.demand == "short_session"

grant_field(spec) := "grantControls" if spec.demand != "short_session"

# -- Candidates ------------------------------------------------------------------------------------------------------

state(policy) := "unknown" if {
	unreported(policy, ["state"])
} else := "on" if {
	policy.state == "enabled"
} else := "off"

candidates(spec) := [candidate(policy, spec, granting) |
	some policy in entra.policies
	reaches(policy, spec)
	granting := grant(policy, spec.demand)
	granting != "no"
]

candidate(policy, spec, granting) := {
	"policy": policy,
	"state": state(policy),
	"grant": granting,
	"doubts": doubts(policy, spec, granting),
	"limits": limits(policy, spec),
	"clients": client_apps(policy),
	"sign_in_risk": risks(policy, "signInRiskLevels"),
	"user_risk": risks(policy, "userRiskLevels"),
	"platforms": platforms(policy),
	"undeclared": undeclared(policy, spec),
}

# The exclusions that aren't declared. A check may tolerate a few accounts.
undeclared(policy, spec) := untolerated(entra.undeclared(policy, spec.kinds), object.get(spec, "tolerated", 0))

untolerated(excluded, most) := [thing | some thing in excluded; not single_account(thing)] if {
	count([1 | some thing in excluded; single_account(thing)]) <= most
} else := excluded

single_account(thing) if {
	thing.type == "user"
	regex.match(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`, thing.id)
}

effective(found) := [one | some one in found; one.grant in {"yes", "unknown"}; count(one.limits) == 0]

certain(found) := [one | some one in effective(found); one.grant == "yes"; count(one.doubts) == 0]

on(found) := [one | some one in found; one.state == "on"]

clean(found) := [one | some one in found; count(one.undeclared) == 0]

perhaps_on(found) := [one | some one in found; one.state != "off"]

# -- Coverage --------------------------------------------------------------------------------------------------------

axes := ["clients", "sign_in_risk", "user_risk", "platforms"]

lacks(one, spec, axis) if count(spec.needs[axis] - one[axis]) > 0

fits(one, spec) if count([axis | some axis in axes; lacks(one, spec, axis)]) == 0

fitting(found, spec) := [one | some one in found; fits(one, spec)]

# For each value of an axis, the policies that cover it, as a set of positions.
covering(found, spec, axis) := {those(found, axis, value) | some value in spec.needs[axis]}

those(found, axis, value) := {position | some position, one in found; value in one[axis]}

# The combinations of values that no policy covers.
gaps(found, spec) := [1 |
	some by_client in covering(found, spec, "clients")
	some by_sign_in in covering(found, spec, "sign_in_risk")
	some by_user in covering(found, spec, "user_risk")
	some by_platform in covering(found, spec, "platforms")
	count(((by_client & by_sign_in) & by_user) & by_platform) == 0
]

# Whether policies cover everything, one of them alone or all together.
covers(found, spec) := true if {
	count(fitting(found, spec)) > 0
} else := true if {
	count(found) > 1
	count(gaps(found, spec)) == 0
} else := false

# The policies to name: those that cover everything alone, or else all that take part.
parts(found, spec) := fitting(found, spec) if {
	count(fitting(found, spec)) > 0
} else := found

# Whether the policies that require phishing-resistant sign-in cover everyone, which is stricter than what weaker checks
# require.
phishing_resistant_for_all if holds(specified({"demand": "phishing_resistant"}))

holds(spec) if covers(clean(on(certain(candidates(spec)))), spec)

# -- The verdict -----------------------------------------------------------------------------------------------------

# `words`: `does` ("blocks legacy authentication") and `so` ("so a stolen password is enough").
verdict(spec, words) := decided(candidates(spec), spec, words)

decided(found, spec, words) := by_group(found, grouped(certain(found), effective(found)), spec, words)

grouped(sure, possible) := {
	"clean": clean(on(sure)),
	"perhaps": clean(perhaps_on(possible)),
	"on": on(sure),
	"any": sure,
}

by_group(found, group, spec, words) := lib.passed(passing(parts(group.clean, spec), spec, words), described(parts(group.clean, spec))) if {
	covers(group.clean, spec)
} else := lib.skipped("unreadable", doubtful(group.perhaps, words)) if {
	count(group.perhaps) > count(group.clean)
	covers(group.perhaps, spec)
} else := excepted(nearest(group.on, spec), words) if {
	count(group.on) > count(group.clean)
	covers(group.on, spec)
} else := inactive(parts(group.any, spec), words) if {
	count(group.any) > count(group.on)
	covers(group.any, spec)
} else := restricted(narrow(found, spec), spec, words) if {
	count(narrow(found, spec)) > 0
} else := lenient(loose(found, spec), spec, words) if {
	count(loose(found, spec)) > 0
} else := lib.failed(
	sprintf("No Conditional Access policy %s (%s checked), %s", [words.does, lib.number_of(count(entra.policies), "policy", "policies"), words.so]),
	{"policies": count(entra.policies), "enabled": count(entra.enabled(entra.policies))},
	[],
)

titles(found) := entra.names([one.policy | some one in found])

title(one) := sprintf("\"%s\"", [substring(entra.name_of(one.policy), 0, 80)])

passing(found, spec, words) := sprintf("An enabled Conditional Access policy %s: %s", [words.does, titles(found)]) if {
	fits(found[0], spec)
} else := sprintf("Enabled Conditional Access policies together %s: %s", [plural(words.does), titles(found)])

# "blocks users" becomes "block users".
plural(does) := concat("", [substring(does, 0, indexof(does, " ") - 1), substring(does, indexof(does, " "), -1)])

doubtful(found, words) := sprintf("It is unknown whether Conditional Access %s, because fields of %s were not reported: %s", [
	words.does,
	titles([one | some one in found; count(one.doubts) > 0]),
	lib.join({field | some one in found; some field in one.doubts}),
])

# The enabled policy with the fewest exclusions to declare, or all that take part.
nearest(found, spec) := [[one |
	some one in fitting(found, spec)
	count(one.undeclared) == min([count(other.undeclared) | some other in fitting(found, spec)])
][0]] if {
	count(fitting(found, spec)) > 0
} else := [one | some one in found; count(one.undeclared) > 0]

excluded_from(found) := [thing | some one in found; some thing in one.undeclared]

excepted(found, words) := object.union(lib.failed(excepting(found, words), described(found), described(found)), {
	"details": "The check passes if the exclusions are declared as exemptions of this check",
	"would_pass": {
		"if": sprintf("the exclusions of %s were declared as exemptions", [titles(found)]),
		"excluded": [thing.id | some thing in array.slice(excluded_from(found), 0, 200)],
	},
})

excepting(found, words) := sprintf("%s %s but excludes %s without a declared exemption, %s", [
	title(found[0]), words.does, entra.counted(excluded_from(found)), words.so,
]) if {
	count(found) == 1
} else := sprintf("Conditional Access policies together %s but exclude %s without a declared exemption (%s), %s", [
	plural(words.does), entra.counted(excluded_from(found)), titles(found), words.so,
])

inactive(found, words) := lib.failed(
	sprintf("No enabled Conditional Access policy %s (%s %s off or in report-only mode), %s", [
		words.does, titles(off(found)), entra.is_or_are(off(found)), words.so,
	]),
	described(found),
	described(found),
)

off(found) := [one | some one in found; one.state != "on"]

# -- Policies that do what the check requires, but not for everyone ---------------------------------------------------

kinds_of_limits(one, spec) := one.limits | {axis | some axis in axes; lacks(one, spec, axis)}

# Policies of other checks aren't meant to do what this one requires: a policy counts here only if it has the condition that
# such a policy has anyway.
narrow(found, spec) := [one |
	some one in on(found)
	one.grant == "yes"
	count(kinds_of_limits(one, spec)) > 0
	is_meant(one, spec)
]

is_meant(_, spec) if spec.own == ""

is_meant(one, spec) if {
	spec.own == "flows"
	"devicecodeflow" in transfers(one.policy)
}

is_meant(one, spec) if {
	spec.own in ["clients", "sign_in_risk", "user_risk"]
	one[spec.own] != complete[spec.own]
	count(one[spec.own] & spec.needs[spec.own]) > 0
}

limit_words := {
	"clients": "client apps",
	"sign_in_risk": "levels of sign-in risk",
	"user_risk": "levels of user risk",
	"platforms": "platforms",
	"locations": "locations",
	"devices": "devices",
	"insider_risk": "levels of insider risk",
	"service_principal_risk": "levels of the risk of service principals",
	"app_filter": "attributes of apps",
	"agent_filter": "agents",
	"agents": "levels of the risk of agents",
	"flows": "authentication flows",
	"times": "times",
}

limits_in_words(one, spec) := concat(", ", {limit_words[kind] | some kind in kinds_of_limits(one, spec)})

restricted(found, spec, words) := lib.failed(
	sprintf("No enabled Conditional Access policy %s without a way around it: %s applies only to certain %s, %s", [
		words.does, title(found[0]), limits_in_words(found[0], spec), words.so,
	]),
	{"limited": count(found)},
	[{
		"policy": substring(entra.name_of(one.policy), 0, 200),
		"only_certain": {limit_words[kind] | some kind in kinds_of_limits(one, spec)},
	} |
		some one in array.slice(found, 0, 20)
	],
)

loose(found, spec) := [one |
	some one in on(found)
	one.grant == "partly"
	is_meant(one, spec)
]

control_words := {
	"mfa": "MFA",
	"strength": "a weaker authentication strength",
	"compliantdevice": "a compliant device",
	"domainjoineddevice": "a hybrid joined device",
	"approvedapplication": "an approved app",
	"compliantapplication": "an app with a protection policy",
	"passwordchange": "a password change",
	"custom control": "a custom control",
	"terms of use": "consent to terms of use",
}

instead(one, spec) := {object.get(control_words, control, lib.short(control)) | some control in unmet(one.policy, spec.demand)}

lenient(found, spec, words) := lib.failed(
	sprintf("No enabled Conditional Access policy %s without a way around it: %s accepts %s instead, %s", [
		words.does, title(found[0]), concat(" or ", instead(found[0], spec)), words.so,
	]),
	{"lenient": count(found)},
	[{
		"policy": substring(entra.name_of(one.policy), 0, 200),
		"accepts_instead": instead(one, spec),
	} |
		some one in array.slice(found, 0, 20)
	],
)

described(found) := [{
	"policy": substring(entra.name_of(one.policy), 0, 200),
	"state": object.get(one.policy, "state", null),
	"excluded": array.slice(one.undeclared, 0, 50),
} |
	some one in array.slice(found, 0, 20)
]
