# METADATA
# id: legacy.ms_defender_1_4
# title: Strict preset for sensitive accounts (mail filtering)
# description: >-
#   The former Defender baseline: the strict preset security policy must reach all recipients, or exactly the
#   configured sensitive accounts (mail filtering).
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# variant_of: def.spam_not_inbox
# inputs: [exchange/EOPProtectionPolicyRule]
# remediation:
#   - "CISA replaced the baseline that had this requirement. See the check that took its place."
# frameworks: ["MS.DEFENDER.1.4v1"]
package watchpost.checks.legacy_ms_defender_1_4

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

accounts := object.get(input.params, "sensitive_accounts", {})

strict := [rule |
	some rule in lib.rows("exchange/EOPProtectionPolicyRule")
	lower(defender.text(rule, "Identity")) == "strict preset security policy"
	defender.enabled(rule)
]

# The rule's fields, and the names under which they are configured.
pairs := {
	"SentTo": "IncludedUsers",
	"ExceptIfSentTo": "ExcludedUsers",
	"SentToMemberOf": "IncludedGroups",
	"ExceptIfSentToMemberOf": "ExcludedGroups",
	"RecipientDomainIs": "IncludedDomains",
	"ExceptIfRecipientDomainIs": "ExcludedDomains",
}

configured(name) := {trim_space(entry) | some entry in lib.list(accounts, name); is_string(entry)}

set_on(rule, field) := {trim_space(entry) | some entry in lib.list(rule, field); is_string(entry)}

anything_configured if {
	some name in pairs
	count(configured(name)) > 0
}

# Two more fields of the rule show whether it has any condition or exception.
open_rule(rule) if {
	is_null(object.get(rule, "Conditions", null))
	is_null(object.get(rule, "Exceptions", null))
	has_field(rule)
}

open_rule(rule) if {
	not has_field(rule)
	count([field | some field, _ in pairs; count(set_on(rule, field)) > 0]) == 0
}

has_field(rule) if {
	some field, _ in rule
	field == "Conditions"
}

different(rule) := [field | some field, name in pairs; set_on(rule, field) != configured(name)]

result := lib.failed("The strict preset security policy is off for mail filtering", {"strict": null}, []) if {
	count(strict) == 0
} else := lib.passed("The strict preset security policy reaches all recipients", {"strict": "all"}) if {
	open_rule(strict[0])
} else := lib.failed(
	"The strict preset security policy reaches some recipients, and no sensitive accounts are configured to compare them with",
	{"strict": "some"}, [],
) if {
	not anything_configured
} else := lib.failed(
	sprintf("The strict preset security policy doesn't reach exactly the configured sensitive accounts (%s)", [
		lib.join(different(strict[0])),
	]),
	{"strict": "some"}, [{"differs": field} | some field in different(strict[0])],
) if {
	count(different(strict[0])) > 0
} else := lib.passed("The strict preset security policy reaches the configured sensitive accounts", {"strict": "some"})
