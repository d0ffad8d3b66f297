# Functions that the checks of Exchange Online share. Documents are lists of a cmdlet's rows, with the cmdlet's names.
package watchpost.checklib_exchange

import rego.v1

import data.watchpost.checklib as lib

# The rows of a cmdlet's document.
rows(path) := [row | some row in lib.rows(path); is_object(row)]

# Whether a row has a field.
has_field(row, field) if object.get(row, field, null) != null

# Rows without a field: the answer was cut short, or the version doesn't have the field.
silent(path, field) := [row | some row in rows(path); not has_field(row, field)]

# Rows whose field has exactly this value.
having(path, field, value) := [row | some row in rows(path); object.get(row, field, null) == value]

# A row's name.
name(row) := row.Name if {
	is_string(object.get(row, "Name", null))
} else := row.Identity if {
	is_string(object.get(row, "Identity", null))
} else := "(unnamed)"

# A list, a single string, or nothing, as a list of strings.
texts(value) := [text | some text in value; is_string(text)] if is_array(value)

texts(value) := [value] if is_string(value)

texts(value) := [] if {
	not is_array(value)
	not is_string(value)
}

# A number that some sources give as a string.
number(value) := value if is_number(value)

number(value) := to_number(value) if {
	is_string(value)
	regex.match(`^-?[0-9]{1,9}$`, value)
}

clip(text) := substring(text, 0, 120)

# At most three names of a list: `a, b, c and 4 more`.
named(list) := concat(", ", [clip(text) | some text in list]) if {
	count(list) <= 3
} else := sprintf("%s and %d more", [
	concat(", ", [clip(text) | some text in array.slice(list, 0, 3)]),
	count(list) - 3,
])

# `1 policy`, `3 policies`.
counted(list, one, _) := sprintf("1 %s", [one]) if count(list) == 1

counted(list, _, many) := sprintf("%d %s", [count(list), many]) if count(list) != 1

# The singular or the plural form.
verb(list, one, _) := one if count(list) == 1

verb(list, _, many) := many if count(list) != 1

# Failing rows as the entities of a verdict.
entities(kind, list) := [{"type": kind, "id": name(row), "name": name(row)} | some row in list]

missing(path, field) := sprintf("The answer for %s doesn't include %s", [path, field])

# The verdict for a switch of the whole organization. `values.good` is the required value, `values.bad` the failing one.
switch(path, field, values, sentences) := lib.failed(sentences.failed, {field: values.bad}, [{"setting": path, "field": field, "value": values.bad}]) if {
	count(having(path, field, values.bad)) > 0
} else := lib.passed(sentences.passed, {field: values.good}) if {
	lib.scuba
	lib.has(path)
} else := lib.skipped("unreadable", missing(path, field)) if {
	count(having(path, field, values.good)) == 0
} else := lib.passed(sentences.passed, {field: values.good})

# -- Mail flow rules -------------------------------------------------------------------------------------------------

# Whether a value that a rule has for a condition, an exception or an action is set.
filled(value) if {
	is_string(value)
	trim_space(value) != ""
}

filled(value) if {
	is_array(value)
	count([item | some item in value; not is_null(item)]) > 0
}

filled(value) if {
	is_object(value)
	count(value) > 0
}

filled(value) if is_number(value)

filled(value) if value == true

# A rule's state. Some sources have a switch instead of a word.
rule_on(row) if lower(object.get(row, "State", "")) == "enabled"

rule_on(row) if {
	not has_field(row, "State")
	object.get(row, "Enabled", null) == true
}

# Whether it is unknown if the rule is on, or if it only audits.
rule_unknown(row) if {
	not has_field(row, "State")
	not is_boolean(object.get(row, "Enabled", null))
}

rule_unknown(row) if not is_string(object.get(row, "Mode", null))

rule_unknown(row) if not rule_begun(row)

rule_enforced(row) if lower(object.get(row, "Mode", "")) == "enforce"

# Nanoseconds of a date, where a rule has one.
rule_date(row, field) := time.parse_rfc3339_ns(row[field]) if {
	is_string(object.get(row, field, null))
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`, row[field])
}

# Whether the rule has begun and not ended, as far as its dates are known.
rule_begun(row) if {
	not filled(object.get(row, "ActivationDate", null))
	not filled(object.get(row, "ExpiryDate", null))
}

rule_begun(row) if rule_date(row, "ActivationDate")

rule_begun(row) if rule_date(row, "ExpiryDate")

rule_waiting(row) if rule_date(row, "ActivationDate") > input.now_ms * 1000000

rule_waiting(row) if rule_date(row, "ExpiryDate") <= input.now_ms * 1000000

# Whether the rule takes effect now.
rule_active(row) if {
	rule_on(row)
	rule_enforced(row)
	not rule_waiting(row)
}

# Conditions that a rule may have, besides the scopes of senders and recipients.
rule_conditions := {
	"ADComparisonAttribute", "ADComparisonOperator", "AnyOfCcHeader", "AnyOfCcHeaderMemberOf",
	"AnyOfRecipientAddressContainsWords", "AnyOfRecipientAddressMatchesPatterns", "AnyOfToCcHeader",
	"AnyOfToCcHeaderMemberOf", "AnyOfToHeader", "AnyOfToHeaderMemberOf", "AttachmentContainsWords",
	"AttachmentExtensionMatchesWords", "AttachmentHasExecutableContent", "AttachmentIsPasswordProtected",
	"AttachmentIsUnsupported", "AttachmentMatchesPatterns", "AttachmentNameMatchesPatterns",
	"AttachmentProcessingLimitExceeded", "AttachmentPropertyContainsWords", "AttachmentSizeOver", "BetweenMemberOf1",
	"BetweenMemberOf2", "ContentCharacterSetContainsWords", "From", "FromAddressContainsWords",
	"FromAddressMatchesPatterns", "FromMemberOf", "HasClassification", "HasNoClassification", "HasSenderOverride",
	"HeaderContainsMessageHeader", "HeaderContainsWords", "HeaderMatchesMessageHeader", "HeaderMatchesPatterns",
	"ManagerAddresses", "ManagerForEvaluatedUser", "MessageContainsAllDataClassifications",
	"MessageContainsDataClassifications", "MessageSizeOver", "MessageTypeMatches", "RecipientADAttributeContainsWords",
	"RecipientADAttributeMatchesPatterns", "RecipientAddressContainsWords", "RecipientAddressMatchesPatterns",
	"RecipientDomainIs", "RecipientInSenderList", "SCLOver", "SenderADAttributeContainsWords",
	"SenderADAttributeMatchesPatterns", "SenderDomainIs", "SenderInRecipientList", "SenderIpRanges",
	"SenderManagementRelationship", "SentTo", "SentToMemberOf", "SubjectContainsWords", "SubjectMatchesPatterns",
	"SubjectOrBodyContainsWords", "SubjectOrBodyMatchesPatterns", "WithImportance",
}

# The conditions that a rule has.
conditions(row) := {field | some field in rule_conditions; filled(object.get(row, field, null))}

# The exceptions that a rule has. Some sources only say that there are some.
exceptions(row) := {field | some field, value in row; startswith(field, "ExceptIf"); filled(value)} | {"Exceptions" |
	filled(object.get(row, "Exceptions", null))
	count([field | some field, value in row; startswith(field, "ExceptIf"); filled(value)]) == 0
}

accepted_domains := {lower(trim_space(row.DomainName)) |
	some row in rows("exchange/AcceptedDomain")
	is_string(object.get(row, "DomainName", null))
}

# Whether an entry of a list of senders names someone outside: an address or a domain, but neither a whole top-level domain
# nor the organization itself.
outside_sender(entry) if {
	domain := trim_prefix(lower(trim_space(split(entry, "@")[count(split(entry, "@")) - 1])), "*.")
	contains(domain, ".")
	not contains(domain, "*")
	not domain in accepted_domains
}
