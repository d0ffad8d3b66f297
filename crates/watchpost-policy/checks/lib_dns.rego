# Functions that the checks of mail domains share. A row of `dns/domains` is one domain with the lookups that were made
# for it. `nxdomain` and `empty` are facts, `failed` means that no name server answered.
package watchpost.checklib_dns

import rego.v1

import data.watchpost.checklib as lib

path := "dns/domains"

all_rows := [row |
	some row in lib.rows(path)
	is_object(row)
	is_string(object.get(row, "domain", null))
]

# The domains to judge: all but exempted ones and Microsoft's own routing domains.
rows := [row |
	some row in all_rows
	not exempted(row)
	not routing(row)
]

exempted(row) if lower(row.domain) in lib.exempt("domain")

routing(row) if contains(lower(row.domain), ".mail.onmicrosoft.")

# Microsoft's zone: a customer can't sign it or add records to it.
vendor_zone(row) if contains(lower(row.domain), ".onmicrosoft.")

# -- Lookups ---------------------------------------------------------------------------------------------------------

lookup(row, name) := found if {
	found := object.get(object.get(row, "lookups", {}), name, null)
	is_object(found)
}

found_status := {"found", "empty", "nxdomain"}

known_lookup(found) if found.status in found_status

# Exported rows of older versions don't have the status of a lookup.
known_lookup(found) if {
	not is_string(object.get(found, "status", null))
	is_array(object.get(found, "rdata", null))
}

known(row, name) if known_lookup(lookup(row, name))

answers(found) := [text | some text in found.rdata; is_string(text)] if is_array(object.get(found, "rdata", null))

answers(found) := [found.rdata] if is_string(object.get(found, "rdata", null))

rdata(row, name) := answers(lookup(row, name)) if {
	answers(lookup(row, name))
} else := []

# Domains without an answer for a lookup.
unknown(list, name) := [row.domain | some row in list; not known(row, name)]

# -- SPF -------------------------------------------------------------------------------------------------------------

is_spf(text) if lower(trim_space(text)) == "v=spf1"

is_spf(text) if startswith(lower(trim_space(text)), "v=spf1 ")

spf_records(row) := [text | some text in rdata(row, "spf"); is_spf(text)]

spf_terms(record) := [term | some term in split(lower(record), " "); term != ""]

spf_words := {"all": "+", "+all": "+", "?all": "?", "~all": "~", "-all": "-"}

# Terms for all other senders, in their order.
spf_alls(record) := [term | some term in spf_terms(record); term in object.keys(spf_words)]

# A record's result for all other senders: `-`, `~`, `?` or `+`. The first such term counts.
spf_all(record) := spf_words[spf_alls(record)[0]] if count(spf_alls(record)) > 0

spf_redirects(record) if {
	some term in spf_terms(record)
	startswith(term, "redirect=")
}

# The same, after following a redirect. `none`: the record has no result for other senders. Undefined: unknown.
spf_end(_, record) := spf_all(record)

spf_end(_, record) := "none" if {
	not spf_all(record)
	not spf_redirects(record)
}

spf_end(row, record) := spf_tree_end(row) if {
	not spf_all(record)
	spf_redirects(record)
}

spf_tree_end(row) := lookup(row, "spf_tree").all if {
	known_lookup(lookup(row, "spf_tree"))
	is_string(object.get(lookup(row, "spf_tree"), "all", null))
}

spf_tree_end(row) := "none" if {
	known_lookup(lookup(row, "spf_tree"))
	"all" in object.keys(lookup(row, "spf_tree"))
	is_null(lookup(row, "spf_tree").all)
}

# The exporter's own conclusion, where an export has no records.
compliant(row) := value if {
	some place in [object.get(object.get(row, "lookups", {}), "spf", {}), row]
	value := object.get(place, "compliant", null)
	is_boolean(value)
}

# -- DMARC -----------------------------------------------------------------------------------------------------------

# The first value of a tag, without surrounding spaces. Undefined if the record doesn't have the tag.
tag(record, wanted) := values[0] if {
	values := [trim_space(concat("=", array.slice(bits, 1, count(bits)))) |
		some part in split(record, ";")
		bits := split(part, "=")
		count(bits) > 1
		lower(trim_space(bits[0])) == wanted
	]
	count(values) > 0
}

# Records that a receiver accepts as DMARC: the version comes first, and another tag follows it.
is_dmarc(text) if {
	parts := split(text, ";")
	count(parts) > 1
	replace(lower(parts[0]), " ", "") == "v=dmarc1"
}

dmarc_records(row) := [text | some text in rdata(row, "dmarc"); is_dmarc(text)]

# The record's policy for this very domain: `sp` where the record is the parent's.
dmarc_policy(row) := lower(tag(dmarc_records(row)[0], "sp")) if {
	inherited(row)
	tag(dmarc_records(row)[0], "sp")
} else := lower(tag(dmarc_records(row)[0], "p")) if {
	tag(dmarc_records(row)[0], "p")
} else := "none" if {
	count(dmarc_records(row)) > 0
}

inherited(row) if lookup(row, "dmarc").organizational == true

# Addresses of a `rua` or `ruf` tag.
addresses(record, wanted) := [trim_space(address) |
	some address in split(tag(record, wanted), ",")
	contains(address, "@")
] if {
	tag(record, wanted)
} else := []

# -- DKIM ------------------------------------------------------------------------------------------------------------

dkim_lookups(row) := [found |
	some found in lib.as_list(object.get(object.get(row, "lookups", {}), "dkim", null))
	is_object(found)
]

dkim_asked(row) if count(dkim_lookups(row)) > 0

# Records with a key: marked as DKIM or with a key tag, and not revoked by an empty key.
dkim_keys(found) := [text |
	some text in answers(found)
	is_dkim(text)
	not tag(text, "p") == ""
] if {
	answers(found)
} else := []

is_dkim(text) if startswith(replace(lower(text), " ", ""), "v=dkim1")

is_dkim(text) if tag(text, "p")

dkim_signed(row) if {
	some found in dkim_lookups(row)
	count(dkim_keys(found)) > 0
}

# Whether a missing key is a fact: every selector's lookup was answered.
dkim_known(row) if {
	dkim_asked(row)
	every found in dkim_lookups(row) {
		known_lookup(found)
	}
}

# -- MX --------------------------------------------------------------------------------------------------------------

# Host names of the mail exchangers, without the trailing dot.
mx_hosts(row) := {host |
	some text in rdata(row, "mx")
	words := split(trim_space(text), " ")
	host := trim_suffix(lower(words[count(words) - 1]), ".")
	host != ""
}

receives(row) if count(mx_hosts(row)) > 0

receives(row) if {
	not known(row, "mx")
	object.get(row, "has_mx", null) == true
}

mx_known(row) if known(row, "mx")

mx_known(row) if is_boolean(object.get(row, "has_mx", null))

# A domain whose SPF record lets no server send mail.
locked(row) if {
	records := spf_records(row)
	count(records) == 1
	spf_terms(records[0]) == ["v=spf1", "-all"]
}

# -- Sentences and verdicts ------------------------------------------------------------------------------------------

clip(text) := substring(text, 0, 100)

label(item) := sprintf("%s (%s)", [item.domain, clip(item.seen)]) if {
	is_string(object.get(item, "seen", null))
} else := item.domain

# At most three domains with their evidence: `a.example (p=none), b.example (p=none) and 3 more`.
subjects(failing) := concat(" and ", [label(item) | some item in failing]) if {
	count(failing) < 3
} else := concat(", ", [label(item) | some item in failing]) if {
	count(failing) == 3
} else := sprintf("%s and %s", [
	concat(", ", [label(item) | some item in array.slice(failing, 0, 3)]),
	lib.number_of(count(failing) - 3, "more domain", "more domains"),
])

verb(failing, one, _) := one if count(failing) == 1

verb(failing, _, many) := many if count(failing) != 1

plain(domains) := [{"domain": domain} | some domain in domains]

not_answered(domains) := sprintf("No name server answered for %s, or none was asked", [subjects(plain(domains))])

entities(failing) := [{"type": "domain", "id": lower(item.domain), "name": item.domain} | some item in failing]

# The verdict on a list of domains. `scope`: those that the check is about; `failing`: rows `{domain, seen}`;
# `unknown`: names of domains about which not enough is known; `failed`, `passed` and `none` are sentences.
judge(found) := lib.failed_entities(found.failed, found.failing, found.failing, entities(found.failing)) if {
	count(found.failing) > 0
	count(found.unknown) == 0
} else := object.union(
	lib.failed_entities(found.failed, found.failing, found.failing, entities(found.failing)),
	{"details": not_answered(found.unknown)},
) if {
	count(found.failing) > 0
} else := lib.skipped("not_applicable", found.none) if {
	count(found.scope) == 0
} else := lib.skipped("unreadable", not_answered(found.unknown)) if {
	count(found.unknown) > 0
} else := lib.passed(found.passed, {"domains": count(found.scope)})

# The sentence for a tenant without known domains.
no_domains := "No domains are known for this tenant"
