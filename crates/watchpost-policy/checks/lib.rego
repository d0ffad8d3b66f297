# Functions that all checks share. Settings are in `input.doc.settings`, each a vendor's document under its path.
#
# The engine differs from the language's specification in three ways, and checks work around them: `x := y` succeeds where
# `y` is undefined (`x = y` doesn't), a list keeps undefined elements (a set doesn't), and an `else` isn't tried after a
# body whose `some … in` found nothing (`count([…]) > 0` fails as it should).
package watchpost.checklib

import rego.v1

# -- Reading settings ------------------------------------------------------------------------------------------------

# Whether the setting was read.
has(path) if is_object(input.doc.settings[path])

has(path) if is_array(input.doc.settings[path])

# Why a setting wasn't read: `denied`, `unlicensed`, `partial` or `failed`. Undefined if it was read or never tried.
unread(path) := input.doc.unreadable[path].state

# The rows of a list document: its `value`, the bare list, or the object alone. Empty if it wasn't read.
rows(path) := as_list(unwrapped(object.get(input.doc.settings, path, null)))

unwrapped(document) := document if not wrapper(document)

unwrapped(document) := document.value if wrapper(document)

wrapper(document) if {
	is_object(document)
	is_array(document.value)
}

wrapper(document) if {
	is_object(document)
	is_object(document.value)
}

wrapper(document) if {
	is_object(document)
	is_null(document.value)
}

# The first row; undefined if there is none.
one(path) := rows(path)[0]

# A list without nulls, from the shapes that PowerShell gives to lists: null, "" and {} are empty, a single value is a list
# of one.
as_list(thing) := [item | some item in thing; not is_null(item)] if is_array(thing)

as_list(thing) := [item | some item in thing; not is_null(item)] if is_set(thing)

as_list(thing) := [] if is_null(thing)

as_list(thing) := [] if thing == ""

as_list(thing) := [] if thing == {}

as_list(thing) := [thing] if {
	is_object(thing)
	thing != {}
}

as_list(thing) := [thing] if {
	is_string(thing)
	thing != ""
}

as_list(thing) := [thing] if is_number(thing)

as_list(thing) := [thing] if is_boolean(thing)

# The list in a field. Empty if the field is absent.
list(object_, field) := as_list(object.get(object_, field, null)) if is_object(object_)

list(object_, _) := [] if not is_object(object_)

# The strings of a list in lower case, as a set.
lower_set(things) := {lower(item) | some item in as_list(things); is_string(item)}

# -- Licenses, exemptions, profile -----------------------------------------------------------------------------------

# Whether the tenant has a licensed feature. Undefined if that is unknown.
feature(name) := one("licenses/features")[name]

# The lower-case ids of a kind that are exempted from this check.
exempt(kind) := lower_set(object.get(input.exempt, kind, []))

default scuba := false

# The reading of CISA's published baselines.
scuba if input.profile == "scuba"

# -- Results ---------------------------------------------------------------------------------------------------------

passed(reason, detected) := {"result": "passed", "reason": reason, "detected": detected}

failed(reason, detected, evidence) := {
	"result": "failed",
	"reason": reason,
	"detected": detected,
	"evidence": evidence,
}

failed_entities(reason, detected, evidence, entities) := {
	"result": "failed",
	"reason": reason,
	"detected": detected,
	"evidence": evidence,
	"entities": entities,
}

skipped(word, details) := {"result": "skipped", "reason": word, "details": details}

# -- Sentences -------------------------------------------------------------------------------------------------------

# The first ten of a list or set of strings and numbers, and the number of further ones: `exe, cmd and 3 more`.
join(things) := concat(", ", shown(things)) if count(things) <= 10

join(things) := sprintf("%s and %d more", [
	concat(", ", array.slice(shown(things), 0, 10)),
	count(things) - 10,
]) if count(things) > 10

shown(things) := [short(thing) | some thing in things]

# At most 200 characters of anything.
short(thing) := substring(thing, 0, 200) if is_string(thing)

short(thing) := sprintf("%v", [thing]) if is_number(thing)

short(thing) := sprintf("%v", [thing]) if is_boolean(thing)

short(thing) := "nothing" if is_null(thing)

short(thing) := "a list" if is_array(thing)

short(thing) := "a list" if is_set(thing)

short(thing) := "an object" if is_object(thing)

# For customers' checks, which can't call `sprintf`: a sentence with at most ten short parts.
text(format, parts) := sprintf(format, [part(thing) | some thing in parts]) if {
	count(format) <= 500
	count(parts) <= 10
}

part(thing) := thing if is_number(thing)

part(thing) := short(thing) if not is_number(thing)

# `1 domain`, `3 domains`.
number_of(number, one_, _) := sprintf("1 %s", [short(one_)]) if number == 1

number_of(number, _, many) := sprintf("%d %s", [number, short(many)]) if number != 1
