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
