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

# The routing domains of hybrid organizations are in Microsoft's zone, so no record can be added to them. Exchange marks
# them; their names also show it where Exchange wasn't read.
routing(row) if {
	some suffix in {".mail.onmicrosoft.com", ".mail.onmicrosoft.us", ".mail.onmicrosoft.de", ".mail.partner.onmschina.cn"}
	endswith(lower(row.domain), suffix)
}

routing(row) if lower(row.domain) in coexistence_domains

coexistence_domains := {lower(trim_space(domain.DomainName)) |
	some domain in lib.rows("exchange/AcceptedDomain")
	is_object(domain)
	is_string(object.get(domain, "DomainName", null))
	object.get(domain, "IsCoexistenceDomain", null) == true
}

# Microsoft's zone: a customer can't sign it or add records to it.
vendor_zone(row) if {
	some suffix in {".onmicrosoft.com", ".onmicrosoft.us", ".onmicrosoft.de", ".partner.onmschina.cn"}
	endswith(lower(row.domain), suffix)
}

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

spf_end(row, record) := "none" if {
	not spf_all(record)
	not spf_redirects(record)
	not spf_cut(row)
}

spf_end(row, record) := spf_tree_end(row) if {
	not spf_all(record)
	spf_redirects(record)
}

spf_tree(row) := lookup(row, "spf_tree") if known_lookup(lookup(row, "spf_tree"))

spf_tree_end(row) := spf_tree(row).all if is_string(object.get(spf_tree(row), "all", null))

spf_tree_end(row) := "none" if {
	"all" in object.keys(spf_tree(row))
	is_null(spf_tree(row).all)
}

spf_mechanism := `^[+?~-]?(all|include:.+|a|a[:/].+|mx|mx[:/].+|ptr|ptr:.+|ip4:.+|ip6:.+|exists:.+)$`

spf_modifier := `^[a-z][a-z0-9_.-]*=.*$`

spf_known(term) if regex.match(spf_mechanism, term)

spf_known(term) if regex.match(spf_modifier, term)

# Whether an export's strings may be one record that was cut: the record has no end, and what follows it has only terms
# of SPF. A long first string was already joined with the next one.
spf_cut(row) if {
	records := spf_records(row)
	count(records) == 1
	count([text |
		some text in rdata(row, "spf")
		not is_spf(text)
		count(spf_terms(text)) > 0
		every term in spf_terms(text) {
			regex.match(spf_mechanism, term)
		}
	]) > 0
}

# The terms that a receiver evaluates: those before the first `all`.
spf_before_all(record) := [term |
	some index, term in spf_terms(record)
	index > 0
	count([earlier | some earlier in array.slice(spf_terms(record), 0, index + 1); earlier in object.keys(spf_words)]) == 0
]

# Terms of the record that need a DNS lookup.
spf_asking(record) := array.concat(
	[term | some term in spf_before_all(record); regex.match(`^[+?~-]?(include:|a$|a[:/]|mx$|mx[:/]|ptr|exists:)`, term)],
	[term | some term in spf_terms(record); startswith(term, "redirect="); not spf_all(record)],
)

# Why receivers treat the record as an error and reject no one. Undefined if nothing shows that they do.
spf_error(row, record) := spf_errors(row, record)[0] if count(spf_errors(row, record)) > 0

spf_errors(row, record) := array.concat(
	array.concat(
		[sprintf("%s is not a term of SPF", [clip(term)]) |
			some term in array.slice(spf_terms(record), 1, count(spf_terms(record)))
			not spf_known(term)
		],
		["several redirects" | count([term | some term in spf_terms(record); startswith(term, "redirect=")]) > 1],
	),
	[sprintf("%s has no SPF record of its own", [clip(name)]) | name = spf_tree(row).broken; is_string(name)],
)

# Receivers make at most ten lookups, of which two may find nothing (RFC 7208, section 4.6.4).
spf_exceeds(row, _) if spf_tree(row).lookups > 10

spf_exceeds(row, _) if spf_tree(row).voids > 2

spf_exceeds(_, record) if count(spf_asking(record)) > 10

# A term that lets in every sender, or a large part of the internet.
spf_opening(_, record) := [term | some term in spf_before_all(record); regex.match(spf_wide, term)][0]

spf_opening(row, record) := sprintf("%s allows every sender", [clip(spf_tree(row).open)]) if {
	count([term | some term in spf_before_all(record); regex.match(spf_wide, term)]) == 0
	is_string(object.get(spf_tree(row), "open", null))
}

spf_wide := `^[+]?(ip4:[0-9.]+/[0-7]|ip6:[0-9a-f:.]+/([0-9]|1[0-5])|(a|mx)(:[^/]+)?/[0-7])$`

# The exporter's own conclusion, where an export has no records.
compliant(row) := value if {
	some place in [object.get(object.get(row, "lookups", {}), "spf", {}), row]
	value := object.get(place, "compliant", null)
	is_boolean(value)
}

# -- DMARC -----------------------------------------------------------------------------------------------------------

# The values of a tag, without surrounding spaces.
tags(record, wanted) := [trim_space(concat("=", array.slice(bits, 1, count(bits)))) |
	some part in split(record, ";")
	bits := split(part, "=")
	count(bits) > 1
	lower(trim_space(bits[0])) == wanted
]

# The first value of a tag. Undefined if the record doesn't have the tag.
tag(record, wanted) := tags(record, wanted)[0] if count(tags(record, wanted)) > 0

# Records that a receiver accepts as DMARC: the version comes first, in capitals, and another tag follows it.
is_dmarc(text) if {
	parts := split(text, ";")
	count(parts) > 1
	regex.match(`^\s*[vV]\s*=\s*DMARC1\s*$`, parts[0])
}

dmarc_records(row) := [text | some text in rdata(row, "dmarc"); is_dmarc(text)]

# The record that applies. Receivers ignore several of them (RFC 7489, section 6.6.3).
dmarc_record(row) := dmarc_records(row)[0] if count(dmarc_records(row)) == 1

dmarc_words := {"none", "quarantine", "reject"}

# Whether receivers can't use the record's policies: one of them has no valid value or occurs twice. They then act as if
# the policy were none.
dmarc_invalid(record) if not lower(tag(record, "p")) in dmarc_words

dmarc_invalid(record) if {
	some name in {"sp", "np"}
	not lower(tag(record, name)) in dmarc_words
	tag(record, name)
}

dmarc_invalid(record) if {
	some name in {"v", "p", "sp", "np", "t", "pct"}
	count(tags(record, name)) > 1
}

# The tags whose policy applies to the domain, the first one that the record has: `sp` where the record is the
# organizational domain's, and `np` where the domain doesn't exist, too.
dmarc_names(row) := ["p"] if not inherited(row)

dmarc_names(row) := ["sp", "p"] if {
	inherited(row)
	not absent(row)
}

dmarc_names(row) := ["np", "sp", "p"] if {
	inherited(row)
	absent(row)
}

absent(row) if lookup(row, "spf").status == "nxdomain"

dmarc_stated(row) := [lower(tag(dmarc_record(row), name)) | some name in dmarc_names(row); tag(dmarc_record(row), name)][0]

# The policy of the record that applies. In test mode, receivers apply the next weaker one (RFC 9989). Undefined without
# a record.
dmarc_policy(row) := "none" if dmarc_invalid(dmarc_record(row))

dmarc_policy(row) := dmarc_stated(row) if {
	not dmarc_invalid(dmarc_record(row))
	not dmarc_testing(dmarc_record(row))
}

dmarc_policy(row) := {"reject": "quarantine", "quarantine": "none", "none": "none"}[dmarc_stated(row)] if {
	not dmarc_invalid(dmarc_record(row))
	dmarc_testing(dmarc_record(row))
}

dmarc_testing(record) if lower(tag(record, "t")) == "y"

# The share of the mail that the policy applies to, in percent.
dmarc_percent(record) := to_number(tag(record, "pct")) if {
	regex.match(`^[0-9]{1,3}$`, tag(record, "pct"))
	to_number(tag(record, "pct")) <= 100
} else := 100

# Whether receivers reject all forged mail of this very domain.
dmarc_rejects(row) if {
	dmarc_policy(row) == "reject"
	dmarc_percent(dmarc_record(row)) == 100
}

inherited(row) if lookup(row, "dmarc").organizational == true

# Whether it is unknown whose record an export has, where that matters: there is no log, a parent has the same record, and
# the record has another policy for subdomains.
dmarc_unsure(row) if {
	found := lookup(row, "dmarc")
	not is_string(object.get(found, "name", null))
	not is_boolean(object.get(found, "organizational", null))
	count([other |
		some other in all_rows
		endswith(lower(row.domain), concat("", [".", lower(other.domain)]))
		dmarc_records(other) == dmarc_records(row)
	]) > 0
	lower(tag(dmarc_record(row), "sp")) != lower(tag(dmarc_record(row), "p"))
}

dmarc_seen(row) := "no DMARC record" if count(dmarc_records(row)) == 0

dmarc_seen(row) := "several DMARC records" if count(dmarc_records(row)) > 1

dmarc_seen(row) := dmarc_record(row) if not inherited(row)

dmarc_seen(row) := sprintf("from %s: %s", [trim_prefix(lower(object.get(lookup(row, "dmarc"), "name", "a parent")), "_dmarc."), dmarc_record(row)]) if inherited(row)

# Addresses of a `rua` or `ruf` tag, in lower case. Only `mailto:` URIs are addresses; a size limit may follow.
addresses(record, wanted) := {split(trim_prefix(uri, "mailto:"), "!")[0] |
	some part in split(tag(record, wanted), ",")
	uri := lower(trim_space(part))
	regex.match(`^mailto:[^@!,;\s]+@[^@!,;\s]+\.[^@!,;\s]+(![0-9]+[kmgt]?)?$`, uri)
} if {
	tag(record, wanted)
} else := set()

# -- DKIM ------------------------------------------------------------------------------------------------------------

dkim_lookups(row) := [found |
	some found in lib.as_list(object.get(object.get(row, "lookups", {}), "dkim", null))
	is_object(found)
]

dkim_asked(row) if count(dkim_lookups(row)) > 0

# Records with a key that isn't revoked (empty) and isn't in test mode, in which receivers treat mail as unsigned.
dkim_keys(found) := [text |
	some text in answers(found)
	regex.match(`[A-Za-z0-9+/]`, tag(text, "p"))
	not dkim_testing(text)
] if {
	answers(found)
} else := []

dkim_testing(text) if "y" in {lower(trim_space(flag)) | some flag in split(tag(text, "t"), ":")}

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
