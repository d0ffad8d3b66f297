# What the checks of Defender for Office 365 and Purview share: the recipients that a policy reaches, the policy that
# applies to all recipients, and the data loss prevention rules that are enforced.
package watchpost.checklib_defender

import rego.v1

import data.watchpost.checklib as lib

eop_presets := "exchange/EOPProtectionPolicyRule"

atp_presets := "exchange/ATPProtectionPolicyRule"

built_in_rule := "exchange/ATPBuiltInProtectionRule"

# -- Fields ----------------------------------------------------------------------------------------------------------

# A field's string, empty if there is none.
text(row, field) := row[field] if is_string(row[field])

text(row, field) := "" if not is_string(row[field])

# The names among `fields` that a row doesn't have. A missing field can't be judged.
lacking(row, fields) := {field | some field in fields; is_null(object.get(row, field, null))}

# The fields with their values, for evidence.
shown(row, fields) := {field: object.get(row, field, null) | some field in fields}

# A row's name.
name(row) := row.Name if text(row, "Name") != ""

name(row) := text(row, "Identity") if text(row, "Name") == ""

# Whether a row has this name or identity.
called(row, wanted) if {
	wanted != ""
	lower(wanted) in {lower(text(row, "Identity")), lower(text(row, "Name"))}
}

enabled(rule) if lower(text(rule, "State")) == "enabled"

# A rule without a number comes last.
priority(rule) := rule.Priority if is_number(rule.Priority)

priority(rule) := 1000000 if not is_number(rule.Priority)

entity(row) := {"type": "policy", "id": substring(text(row, "Identity"), 0, 200), "name": substring(name(row), 0, 200)}

# -- Recipients of a rule --------------------------------------------------------------------------------------------

accepted_domains := {lower(trim_space(text(row, "DomainName"))) |
	some row in lib.rows("exchange/AcceptedDomain")
	text(row, "DomainName") != ""
}

no_conditions(rule) if {
	count(lib.list(rule, "SentTo")) == 0
	count(lib.list(rule, "SentToMemberOf")) == 0
	count(lib.list(rule, "RecipientDomainIs")) == 0
}

# Whether every exception of the rule is exempted from the check.
no_exceptions(rule) if {
	count(lib.lower_set(lib.list(rule, "ExceptIfSentTo")) - lib.exempt("user")) == 0
	count(lib.lower_set(lib.list(rule, "ExceptIfSentToMemberOf")) - lib.exempt("group")) == 0
	count(lib.lower_set(lib.list(rule, "ExceptIfRecipientDomainIs")) - lib.exempt("domain")) == 0
}

# Whether a custom rule reaches every recipient: it has no exception, and no condition or one with every accepted domain.
covers_all(rule) if {
	no_conditions(rule)
	no_exceptions(rule)
}

covers_all(rule) if {
	no_exceptions(rule)
	count(lib.list(rule, "SentTo")) == 0
	count(lib.list(rule, "SentToMemberOf")) == 0
	every_domain(rule)
}

every_domain(rule) if {
	count(accepted_domains) > 0
	count(accepted_domains - lib.lower_set(lib.list(rule, "RecipientDomainIs"))) == 0
}

# The published reading treats any list of domains as complete where it knows of no accepted domain.
every_domain(_) if {
	lib.scuba
	count(accepted_domains) == 0
}

# -- Preset security policies ----------------------------------------------------------------------------------------

# The names of the presets' rules and policies end with a number. `kind` is `strict` or `standard`.
of_preset(row, kind) if contains(lower(text(row, "Identity")), concat(" ", [kind, "preset security policy"]))

any_preset(row) if of_preset(row, "strict")

any_preset(row) if of_preset(row, "standard")

# The preset's rules that are on and reach every recipient. The published reading ignores a preset's exceptions.
full_presets(path, kind) := [rule |
	some rule in lib.rows(path)
	of_preset(rule, kind)
	full_preset(rule)
]

full_preset(rule) if {
	enabled(rule)
	no_conditions(rule)
	preset_exceptions_fine(rule)
}

preset_exceptions_fine(_) if lib.scuba

preset_exceptions_fine(rule) if {
	not lib.scuba
	no_exceptions(rule)
}

preset_covers(path, kind) if count(full_presets(path, kind)) > 0

any_preset_covers(path) if preset_covers(path, "strict")

any_preset_covers(path) if preset_covers(path, "standard")

# -- The policy that applies to all recipients -----------------------------------------------------------------------

# The settings to read, by kind of policy.
kinds := {
	"malware": {
		"presets": eop_presets,
		"policies": "exchange/MalwareFilterPolicy",
		"rules": "exchange/MalwareFilterRule",
		"field": "MalwareFilterPolicy",
	},
	"phishing": {
		"presets": eop_presets,
		"policies": "exchange/AntiPhishPolicy",
		"rules": "exchange/AntiPhishRule",
		"field": "AntiPhishPolicy",
	},
	"spam": {
		"presets": eop_presets,
		"policies": "exchange/HostedContentFilterPolicy",
		"rules": "exchange/HostedContentFilterRule",
		"field": "HostedContentFilterPolicy",
	},
	"attachments": {
		"presets": atp_presets,
		"policies": "exchange/SafeAttachmentPolicy",
		"rules": "exchange/SafeAttachmentRule",
		"field": "SafeAttachmentPolicy",
	},
	"links": {
		"presets": atp_presets,
		"policies": "exchange/SafeLinksPolicy",
		"rules": "exchange/SafeLinksRule",
		"field": "SafeLinksPolicy",
	},
}

policies(kind) := lib.rows(kinds[kind].policies)

# `{"source", "label", "rows"}`: where the effective policy comes from, its name in sentences, and its row (none if the
# list of policies doesn't have it). Source `none` means that even the built-in protection has exceptions.
effective(kind) := {"source": "unknown", "label": "the policy that applies to all recipients", "rows": []} if {
	not lib.scuba
	stateless(kind)
} else := preset_policy(kind, "strict") if {
	preset_counts(kind, "strict")
} else := preset_policy(kind, "standard") if {
	preset_counts(kind, "standard")
} else := custom_policy(kind, first_rule(kind)) if {
	first_rule(kind)
} else := fallback(kind)

# Whether it is unknown of a rule whether it is on.
stateless(kind) if {
	some rule in lib.rows(kinds[kind].rules)
	text(rule, "State") == ""
}

stateless(kind) if {
	some rule in lib.rows(kinds[kind].presets)
	any_preset(rule)
	text(rule, "State") == ""
}

preset_counts(kind, preset) if {
	preset_covers(kinds[kind].presets, preset)
	not lib.scuba
}

# The published reading also requires the preset's policy.
preset_counts(kind, preset) if {
	lib.scuba
	preset_covers(kinds[kind].presets, preset)
	some row in policies(kind)
	of_preset(row, preset)
}

preset_policy(kind, preset) := {
	"source": preset,
	"label": sprintf("the %s preset security policy", [preset]),
	"rows": [row | some row in policies(kind); of_preset(row, preset)],
}

custom_policy(kind, rule) := {
	"source": "custom",
	"label": sprintf("the policy \"%s\"", [lib.short(text(rule, kinds[kind].field))]),
	"rows": [row | some row in policies(kind); called(row, text(rule, kinds[kind].field))],
}

fallback(kind) := {"source": "default", "label": "the default policy", "rows": [row | some row in policies(kind); is_default(row)]} if {
	not kind in {"attachments", "links"}
} else := {"source": "none", "label": "no policy", "rows": []} if {
	not built_in_reaches_all
} else := {"source": "built-in", "label": "the built-in protection", "rows": [row | some row in policies(kind); built_in(row)]}

is_default(row) if row.IsDefault == true

is_default(row) if lower(text(row, "Identity")) == "default"

built_in(row) if lower(text(row, "Identity")) == "built-in protection policy"

built_in_reaches_all if {
	some rule in lib.rows("exchange/ATPBuiltInProtectionRule")
	no_exceptions(rule)
}

enabled_rules(kind) := [rule | some rule in lib.rows(kinds[kind].rules); enabled(rule)]

# The first of the enabled custom rules that reach every recipient (the lowest number). The published reading judges only
# the first enabled rule, and uses the default policy if that rule doesn't reach everyone.
first_rule(kind) := first(candidates(kind))

candidates(kind) := [rule | some rule in enabled_rules(kind); covers_all(rule)] if not lib.scuba

candidates(kind) := [rule |
	some rule in enabled_rules(kind)
	priority(rule) == min({priority(other) | some other in enabled_rules(kind)})
	covers_all(rule)
] if {
	lib.scuba
}

first(rules) := [rule |
	some rule in rules
	priority(rule) == min({priority(other) | some other in rules})
][0]

# The settings about presets of Defender for Office 365 that weren't read.
presets_unread := [path | some path in [atp_presets, built_in_rule]; not lib.has(path)]

# Whether another policy may apply instead, because the presets weren't read. A preset comes before a custom policy and is
# good, so only a good custom policy is certain to be enough.
doubtful(policy) if {
	not lib.scuba
	policy.source == "custom"
	atp_presets in presets_unread
}

doubtful(policy) if {
	not lib.scuba
	policy.source in {"none", "built-in"}
	count(presets_unread) > 0
}

presets_missing := lib.skipped("unreadable", sprintf("It is unknown whether a preset security policy applies: %s wasn't read", [lib.join(presets_unread)]))

# Whether the effective policy is a preset's that isn't in the list. What a preset does is known without it.
by_preset_alone(policy) if {
	policy.source in {"strict", "standard"}
	count(policy.rows) == 0
}

preset_passes(policy) := lib.passed(
	sprintf("%s reaches every recipient", [capital(policy.label)]),
	{"policy": policy.label},
)

capital(sentence) := concat("", [upper(substring(sentence, 0, 1)), substring(sentence, 1, -1)])

# Whether the effective policy lacks the key of a list. Null is an empty list.
unlisted(policy, field) if {
	count(policy.rows) > 0
	not field in object.keys(policy.rows[0])
}

# Whether the effective policy can't be judged: it isn't in the list, or lacks one of the fields.
unknown(policy, _) if count(policy.rows) == 0

unknown(policy, fields) if count(lacking(policy.rows[0], fields)) > 0

unreadable(policy, fields) := lib.skipped("unreadable", sprintf("The values of %[2]s in %[1]s weren't read", [
	policy.label,
	lib.join(fields),
]))

# The fields of the effective policy, with its name.
detected(policy, fields) := {field: value |
	some field in array.concat(["policy"], fields)
	value = object.get({"policy": policy.label}, field, object.get(policy.rows[0], field, null))
}

# -- Spam policies, the published reading ----------------------------------------------------------------------------

# Effective policies, by tier.
spam_tiers := {
	"strict": [policy | some policy in policies("spam"); policy.RecommendedPolicyType == "Strict"; from_preset(policy)],
	"standard": [policy | some policy in policies("spam"); policy.RecommendedPolicyType == "Standard"; from_preset(policy)],
	"custom": [policy |
		some policy in policies("spam")
		policy.RecommendedPolicyType == "Custom"
		policy.IsDefault == false
		from_custom_rule(policy)
	],
	"default": [policy | some policy in policies("spam"); policy.IsDefault == true],
}

from_preset(policy) if {
	some rule in lib.rows(eop_presets)
	full_preset(rule)
	called(policy, text(rule, "HostedContentFilterPolicy"))
}

from_custom_rule(policy) if {
	some rule in enabled_rules("spam")
	covers_all(rule)
	called(policy, text(rule, "HostedContentFilterPolicy"))
}

# The bad policies for which no policy of an earlier tier is good. `good` and `bad` are lists of policies.
unshielded(good, bad) := [policy |
	some tier, before in {
		"strict": [],
		"standard": ["strict"],
		"custom": ["strict", "standard"],
		"default": ["strict", "standard", "custom"],
	}
	count([shield | some earlier in before; some shield in spam_tiers[earlier]; shield in good]) == 0
	some policy in spam_tiers[tier]
	policy in bad
]

# -- Safe Links ------------------------------------------------------------------------------------------------------

# The Safe Links policy that applies to all recipients. The published reading uses the presets' rules for mail, then the
# first custom rule without conditions, then the built-in protection.
links := effective("links") if {
	not lib.scuba
} else := {"source": "strict", "label": "a preset security policy", "rows": []} if {
	any_preset_covers(eop_presets)
} else := custom_policy("links", first(open_link_rules)) if {
	count(open_link_rules) > 0
} else := {
	"source": "built-in",
	"label": "the built-in protection",
	"rows": [row | some row in policies("links"); built_in(row)],
}

open_link_rules := [rule | some rule in enabled_rules("links"); no_conditions(rule)]

# Whether the Safe Links policy is a preset's.
links_by_preset if links.source in {"strict", "standard"}

# -- Impersonation protection ----------------------------------------------------------------------------------------

# Whether an anti-phishing policy reaches every recipient, regardless of policies with a higher priority.
phishing_covers_all(policy) if policy.IsDefault == true

phishing_covers_all(policy) if {
	some kind in {"strict", "standard"}
	of_preset(policy, kind)
	preset_covers(eop_presets, kind)
}

phishing_covers_all(policy) if {
	not policy.IsDefault == true
	not any_preset(policy)
	count(accepted_domains) > 0
	some rule in enabled_rules("phishing")
	called(policy, text(rule, "AntiPhishPolicy"))
	covers_all(rule)
}

# Policies that can satisfy a requirement for all recipients: the effective one, or in the published reading any policy
# that reaches every recipient.
phishing_candidates := [policy | some policy in effective("phishing").rows] if not lib.scuba

phishing_candidates := [policy | some policy in policies("phishing"); phishing_covers_all(policy)] if lib.scuba

# Whether the policy is on and its action prevents normal delivery of the message.
acts(policy, field) if {
	policy.Enabled == true
	text(policy, field) != ""
	not lower(text(policy, field)) in {"noaction", "bccmessage"}
}

# `Ann Example;ann@company.example` and `ann@company.example` are the same user.
address(entry) := lower(trim_space(split(entry, ";")[1])) if contains(entry, ";")

address(entry) := lower(trim_space(entry)) if not contains(entry, ";")

addresses(entries) := {address(entry) | some entry in lib.as_list(entries); is_string(entry); address(entry) != ""}

trimmed(entries) := {lower(trim_space(entry)) | some entry in lib.as_list(entries); is_string(entry); trim_space(entry) != ""}

# A parameter of the check.
param(key) := object.get(input.params, key, [])

# -- Data loss prevention --------------------------------------------------------------------------------------------

# Information types that the checks require, in lower case.
wanted_types := trimmed(param("sensitive_types"))

# A policy's mode alone decides whether it is enforced. Only cmdlets also tell `Enabled`, and the published reading requires
# it.
enforced(policy) if {
	not lib.scuba
	not policy.Enabled == false
	policy.Mode == "Enable"
}

enforced(policy) if {
	lib.scuba
	policy.Enabled == true
	policy.Mode == "Enable"
}

# Enabled rules in an enforced policy, with the required information types that they look for.
sensitive_rules := [{"rule": rule, "policy": policy, "types": found} |
	some rule in lib.rows("purview/DlpComplianceRule")
	rule.Disabled == false
	found := wanted_types & rule_types(rule)
	count(found) > 0
	some policy in lib.rows("purview/DlpCompliancePolicy")
	text(policy, "Name") == text(rule, "ParentPolicyName")
	enforced(policy)
]

# The rules that look for all required information types.
full_rules := [entry | some entry in sensitive_rules; count(wanted_types - entry.types) == 0]

rule_types(rule) := basic_types(rule) if not rule.IsAdvancedRule == true

# An advanced rule is a string that contains the names of the types.
rule_types(rule) := {wanted |
	some wanted in wanted_types
	contains(lower(text(rule, "AdvancedRule")), wanted)
} if {
	rule.IsAdvancedRule == true
}

basic_types(rule) := plain_types(conditions) | grouped_types(conditions) if {
	conditions := lib.list(rule, "ContentContainsSensitiveInformation")
}

plain_types(conditions) := {lower(type_name(condition)) | some condition in conditions}

grouped_types(conditions) := {lower(type_name(entry)) |
	some condition in conditions
	some group in lib.list(condition, "groups")
	some entry in lib.list(group, "sensitivetypes")
}

type_name(entry) := entry.name if is_string(entry.name)

type_name(entry) := text(entry, "Name") if not is_string(entry.name)

# Whether the tenant is known to have no data loss prevention. The published reading judges by the rules alone.
dlp_unlicensed if {
	not lib.scuba
	lib.feature("defender_dlp") == false
}

defender_unlicensed if {
	not lib.scuba
	lib.feature("defender") == false
}

no_defender := lib.skipped("unlicensed", "The tenant has no license for Defender for Office 365, which this check needs")

no_dlp := lib.skipped("unlicensed", "The tenant has no license for Purview Data Loss Prevention")

# -- Alerts ----------------------------------------------------------------------------------------------------------

# The names of all alert policies, and of those that are on, in lower case.
alerts := {lower(trim_space(text(row, "Name"))) | some row in lib.rows("purview/ProtectionAlert")}

alerts_on := {lower(trim_space(text(row, "Name"))) |
	some row in lib.rows("purview/ProtectionAlert")
	row.Disabled == false
}
