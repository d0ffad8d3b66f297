# What the checks of data loss prevention share: whether rules match content because of a required information type alone,
# whatever else is in it or around it. The published reading (`lib_defender.rego`) only looks for the types' names.
#
# Each condition has two values for a type: `must`, it is true of all content with the type that leaves the organization,
# and `can`, it is true of some of it. NOT turns one into the other. A sender chooses everything but the type.
package watchpost.checklib_dlp

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender
import data.watchpost.checklib_exchange as exchange

rules_path := "purview/DlpComplianceRule"

policies_path := "purview/DlpCompliancePolicy"

wanted := {lower(trim_space(kind)) | some kind in object.get(input.params, "sensitive_types", []); is_string(kind)}

# The numbers of instances in the content for which a rule is tried. Limits on the number leave gaps that a sender can use.
probes := {object.get(input.params, "instances_max", 1), 9, 10, 1000}

# -- Rules that are enforced -----------------------------------------------------------------------------------------

parent(rule) := lower(defender.text(rule, "ParentPolicyName")) if defender.text(rule, "ParentPolicyName") != ""

parent(rule) := lower(defender.text(rule, "Policy")) if defender.text(rule, "ParentPolicyName") == ""

# A source may lack the switch beside the mode, which says the same.
enforced(policy) if {
	defender.text(policy, "Mode") == "Enable"
	object.get(policy, "Enabled", true) != false
}

# Rules of enforced policies that aren't off or in test mode. `known` is false if a rule doesn't say whether it is off.
entries := [{"rule": rule, "policy": policy, "known": is_boolean(object.get(rule, "Disabled", null))} |
	some rule in lib.rows(rules_path)
	is_object(rule)
	object.get(rule, "Disabled", null) != true
	lower(object.get(rule, "Mode", "enforce")) == "enforce"
	some policy in lib.rows(policies_path)
	is_object(policy)
	lower(defender.text(policy, "Name")) == parent(rule)
	enforced(policy)
]

# -- Conditions ------------------------------------------------------------------------------------------------------

# A field of an advanced rule, whose spelling differs between versions.
field(thing, name) := [value | some key, value in thing; lower(key) == lower(name)][0]

advanced(rule) if rule.IsAdvancedRule == true

advanced(rule) if {
	defender.text(rule, "AdvancedRule") != ""
	count(lib.list(rule, "ContentContainsSensitiveInformation")) == 0
}

# The condition of an advanced rule. Undefined if it can't be parsed.
condition(rule) := field(parsed, "Condition") if {
	text := defender.text(rule, "AdvancedRule")
	count(text) <= 100000
	json.is_valid(text)
	parsed := json.unmarshal(text)
	is_object(parsed)
}

# A condition is a tree. The language has no recursion, so its nodes are listed by depth; deeper trees are unreadable.
tree(rule) := [level0, level1, level2, level3, level4, level5, level6] if {
	level0 := [{"path": "0", "up": "", "node": condition(rule)}]
	level1 := below(level0)
	level2 := below(level1)
	level3 := below(level2)
	level4 := below(level3)
	level5 := below(level4)
	level6 := below(level5)
	count(below(level6)) == 0
	every level in [level0, level1, level2, level3, level4, level5, level6] {
		every entry in level {
			well_formed(entry.node)
		}
	}
}

below(level) := [{"path": sprintf("%s.%d", [entry.path, index]), "up": entry.path, "node": node} |
	some entry in level
	some index, node in subconditions(entry.node)
]

subconditions(node) := found if {
	found := field(node, "SubConditions")
	is_array(found)
} else := []

operator(node) := lower(field(node, "Operator"))

well_formed(node) if {
	count(subconditions(node)) > 0
	operator(node) in {"and", "or", "not"}
}

well_formed(node) if {
	count(subconditions(node)) == 0
	is_string(field(node, "ConditionName"))
}

# The values of a level's nodes, from those of the level below.
values(level, deeper, kind, number) := [{
	"up": entry.up,
	"must": combined("must", entry, parts, kind, number),
	"can": combined("can", entry, parts, kind, number),
} |
	some entry in level
	parts := [part | some part in deeper; part.up == entry.path]
]

combined(mode, entry, parts, kind, number) := leaf(mode, entry.node, kind, number) if count(parts) == 0

combined(mode, entry, parts, _, _) := none([part | some part in parts; part[mode] == false]) if {
	count(parts) > 0
	operator(entry.node) == "and"
}

combined(mode, entry, parts, _, _) := some_of([part | some part in parts; part[mode] == true]) if {
	count(parts) > 0
	operator(entry.node) == "or"
}

combined("must", entry, parts, _, _) := none([part | some part in parts; part.can == true]) if {
	count(parts) > 0
	operator(entry.node) == "not"
}

combined("can", entry, parts, _, _) := some_of([part | some part in parts; part.must == false]) if {
	count(parts) > 0
	operator(entry.node) == "not"
}

none(list) := true if count(list) == 0

none(list) := false if count(list) > 0

some_of(list) := true if count(list) > 0

some_of(list) := false if count(list) == 0

leaf("must", node, kind, number) := true if leaf_must(node, kind, number)

leaf("must", node, kind, number) := false if not leaf_must(node, kind, number)

leaf("can", node, _, _) := false if inside_only(node)

leaf("can", node, _, _) := true if not inside_only(node)

leaf_must(node, kind, number) if {
	lower(field(node, "ConditionName")) == "contentcontainssensitiveinformation"
	contains_type(field(node, "Value"), kind, number)
}

# Content that leaves the organization is shared with people outside.
leaf_must(node, _, _) if {
	lower(field(node, "ConditionName")) == "accessscope"
	"notinorganization" in lib.lower_set(field(node, "Value"))
}

inside_only(node) if {
	lower(field(node, "ConditionName")) == "accessscope"
	lib.lower_set(field(node, "Value")) == {"inorganization"}
}

# -- Information types -----------------------------------------------------------------------------------------------

# Whether content with this number of instances of the type, and of no other type, meets a list of types or of groups.
contains_type(value, kind, number) if {
	items := type_items(value)
	count(items) > 0
	count([item | some item in items; grouped(item)]) == 0
	count([item | some item in items; names_type(item, kind, number)]) > 0
}

contains_type(value, kind, number) if {
	items := type_items(value)
	count(items) > 0
	every item in items {
		grouped(item)
		groups_contain(item, kind, number)
	}
}

# Items of a list. A source may wrap the types of a list in an object.
type_items(value) := array.concat(
	[item | some item in lib.as_list(value); is_object(item); not field(item, "SensitiveInformation")],
	[inner |
		some item in lib.as_list(value)
		is_object(item)
		not grouped(item)
		some inner in lib.as_list(field(item, "SensitiveInformation"))
	],
)

grouped(item) if count(lib.as_list(field(item, "Groups"))) > 0

groups_contain(item, kind, number) if {
	operator(item) == "or"
	count([group | some group in lib.as_list(field(item, "Groups")); group_contains(group, kind, number)]) > 0
}

groups_contain(item, kind, number) if {
	every group in lib.as_list(field(item, "Groups")) {
		group_contains(group, kind, number)
	}
}

group_contains(group, kind, number) if {
	not operator(group) == "and"
	count([entry | some entry in type_members(group); names_type(entry, kind, number)]) > 0
}

group_contains(group, kind, number) if {
	count(type_members(group)) > 0
	count(lib.as_list(field(group, "Labels"))) == 0
	every entry in type_members(group) {
		names_type(entry, kind, number)
	}
}

type_members(group) := [entry |
	some name in ["Sensitivetypes", "SensitiveInformation"]
	some entry in lib.as_list(field(group, name))
	is_object(entry)
]

names_type(entry, kind, number) if {
	lower(trim_space(field(entry, "name"))) == kind
	fewest(entry) <= number
	most(entry) >= number
}

fewest(entry) := whole(entry, "mincount") if {
	whole(entry, "mincount")
} else := 1

# -1 is no limit.
most(entry) := whole(entry, "maxcount") if {
	whole(entry, "maxcount") >= 0
} else := 1000000000

whole(entry, name) := to_number(shown) if {
	shown = sprintf("%v", [field(entry, name)])
	regex.match(`^-?[0-9]{1,9}$`, shown)
}

# -- What rules do ---------------------------------------------------------------------------------------------------

# Conditions of rules that aren't advanced, besides the information types and the scope.
basic_conditions := {
	"AccessedBy", "AccessedByMemberOf", "AnyOfRecipientAddressContainsWords", "AnyOfRecipientAddressMatchesPatterns",
	"ContentCharacterSetContainsWords", "ContentExtensionMatchesWords", "ContentFileTypeMatches", "ContentIsNotLabeled",
	"ContentPropertyContainsWords", "DeviceManagementType", "DocumentContainsWords", "DocumentCreatedBy",
	"DocumentCreatedByMemberOf", "DocumentIsPasswordProtected", "DocumentIsUnsupported", "DocumentMatchesPatterns",
	"DocumentNameMatchesPatterns", "DocumentNameMatchesWords", "DocumentSizeOver", "From", "FromAddressContainsWords",
	"FromAddressMatchesPatterns", "FromMemberOf", "FromScope", "HasSenderOverride", "HeaderContainsWords",
	"HeaderMatchesPatterns", "MessageSizeOver", "MessageTypeMatches", "ProcessingLimitExceeded",
	"RecipientADAttributeContainsWords", "RecipientADAttributeMatchesPatterns", "RecipientDomainIs",
	"SenderADAttributeContainsWords", "SenderADAttributeMatchesPatterns", "SenderDomainIs", "SenderIPRanges", "SentTo",
	"SentToMemberOf", "SubjectContainsWords", "SubjectMatchesPatterns", "SubjectOrBodyContainsWords",
	"SubjectOrBodyMatchesPatterns", "UnscannableDocumentExtensionIs", "WithImportance",
}

narrowing(rule) := {name | some name in basic_conditions; exchange.filled(object.get(rule, name, null))} | {name |
	some name, value in rule
	startswith(name, "ExceptIf")
	exchange.filled(value)
}

basic_inside(rule) if lib.lower_set(object.get(rule, "AccessScope", null)) == {"inorganization"}

# Trees of advanced rules, by position. An advanced rule without one can't be read.
trees := {index: found |
	some index, entry in entries
	advanced(entry.rule)
	found = tree(entry.rule)
}

opaque := {index |
	some index, entry in entries
	advanced(entry.rule)
	not trees[index]
}

root(index, kind, number) := values(levels[0], values(levels[1], values(levels[2], values(levels[3], values(levels[4], values(levels[5], values(levels[6], [], kind, number), kind, number), kind, number), kind, number), kind, number), kind, number), kind, number)[0] if levels = trees[index]

must(index, kind, number) if root(index, kind, number).must == true

must(index, kind, number) if {
	rule := entries[index].rule
	not advanced(rule)
	count(narrowing(rule)) == 0
	not basic_inside(rule)
	contains_type(object.get(rule, "ContentContainsSensitiveInformation", null), kind, number)
}

# What all content with a type meets: `[position, type, number of instances]`. Rules that may be off are left out.
musts := {[index, kind, number] |
	some index, entry in entries
	entry.known
	some kind in wanted
	some number in probes
	must(index, kind, number)
}

can(index, kind, number) if {
	trees[index]
	root(index, kind, number).can == true
}

can(index, _, _) if index in opaque

can(index, _, _) if {
	not advanced(entries[index].rule)
	not basic_inside(entries[index].rule)
}

# Whether the rule blocks everyone. A person who may go on without a reason isn't blocked.
blocks(index) if {
	rule := entries[index].rule
	rule.BlockAccess == true
	lower(defender.text(rule, "BlockAccessScope")) == "all"
	count(overrides(rule) & {"withoutjustification", "falsepositive"}) == 0
}

overrides(rule) := {lower(trim_space(word)) |
	some text in exchange.texts(object.get(rule, "NotifyAllowOverride", null))
	some word in split(text, ",")
}

notifies(index) if count(lib.list(entries[index].rule, "NotifyUser")) > 0

# -- The order of rules ----------------------------------------------------------------------------------------------

# Rules after which no other rule is tried, in any policy.
stopping := {index | some index, entry in entries; object.get(entry.rule, "StopPolicyProcessing", null) == true}

same_policy(one, other) if entries[one].policy == entries[other].policy

# Numbers that say which of two rules comes first. Undefined if one of them is missing.
order(one, other) := [entries[one].rule.Priority, entries[other].rule.Priority] if {
	same_policy(one, other)
	is_number(entries[one].rule.Priority)
	is_number(entries[other].rule.Priority)
}

order(one, other) := [entries[one].policy.Priority, entries[other].policy.Priority] if {
	not same_policy(one, other)
	is_number(entries[one].policy.Priority)
	is_number(entries[other].policy.Priority)
}

# Whether a rule that stops the processing may take the content first. A rule that does the same is harmless.
hidden(index, kind, number, goal) if {
	some other in stopping
	other != index
	not harmless(other, kind, number, goal)
	can(other, kind, number)
	comes_first(other, index)
}

comes_first(one, other) if order(one, other)[0] < order(one, other)[1]

unordered := {[one, other] | some one in stopping; some other, _ in entries; one != other; not order(one, other)}

harmless(index, kind, number, "look") if [index, kind, number] in musts

harmless(index, _, _, "block") if blocks(index)

does(_, "look") := true

does(index, "block") if blocks(index)

# Whether some rule reaches the goal for all content with a type: to `look` for it, or to `block` it for everyone.
reached(kind, goal) if {
	every number in probes {
		count([index |
			some index, _ in entries
			[index, kind, number] in musts
			does(index, goal)
			not hidden(index, kind, number, goal)
		]) > 0
	}
}

# Types for which no rule reaches the goal.
missed(goal) := {kind | some kind in wanted; not reached(kind, goal)}

# Types for which that isn't known: a condition, a rule's state or the order can't be read.
unsure if count(opaque) > 0

unsure if count(unordered) > 0

unsure if count([entry | some entry in entries; entry.known == false]) > 0

# Types whose name is in a rule that doesn't look for them in all content.
mentioned(kind) := [defender.name(entry.rule) |
	some entry in entries
	contains(lower(sprintf("%v %s", [object.get(entry.rule, "ContentContainsSensitiveInformation", ""), defender.text(entry.rule, "AdvancedRule")])), kind)
]

unreadable := lib.skipped("unreadable", sprintf("The conditions, the state or the order of these data loss prevention rules can't be read: %s", [lib.join(sort({name |
	some index, entry in entries
	doubtful(index)
	name := defender.name(entry.rule)
}))]))

doubtful(index) if index in opaque

doubtful(index) if entries[index].known == false

doubtful(index) if {
	some pair in unordered
	index in pair
}

# The configured spelling of types, sorted.
spelled(kinds) := sort([kind |
	some kind in object.get(input.params, "sensitive_types", [])
	is_string(kind)
	lower(trim_space(kind)) in kinds
])
