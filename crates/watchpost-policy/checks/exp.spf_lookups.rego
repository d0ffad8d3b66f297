# METADATA
# id: exp.spf_lookups
# title: SPF record needs too many DNS lookups
# description: >-
#   Receivers stop after ten DNS lookups, or after two lookups that find nothing, and then treat the SPF
#   record as invalid. With long chains of includes, a partner's change can exceed the limit.
# scan: exposure
# severity: medium
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Show the chain: resolve each include: of the record in turn, and count include, a, mx, ptr, exists and redirect."
#   - "Remove services that no longer send, and names that no longer exist."
#   - "Move bulk senders to a subdomain with its own record."
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7208"
# frameworks: ["NIST.800-53.SI-8"]
# params:
#   lookups_max: 10
#   voids_max: 2
package watchpost.checks.exp_spf_lookups

import rego.v1

import data.watchpost.checklib_dns as dns

tree(row) := dns.lookup(row, "spf_tree")

with_record := [row | some row in dns.rows; count(dns.spf_records(row)) == 1]

counted(row) if {
	dns.known_lookup(tree(row))
	is_number(tree(row).lookups)
	is_number(tree(row).voids)
}

over(row) if {
	counted(row)
	tree(row).lookups > input.params.lookups_max
}

over(row) if {
	counted(row)
	tree(row).voids > input.params.voids_max
}

scope := array.concat(with_record, [row | some row in dns.rows; not dns.known(row, "spf")])

failing := [{"domain": row.domain, "seen": sprintf("%d lookups, %d of them void", [tree(row).lookups, tree(row).voids])} | some row in with_record; over(row)]

unknown := [row.domain | some row in scope; not counted(row)]

sentence := sprintf("%s %s more DNS lookups for SPF than receivers make, so they treat the record as invalid", [dns.subjects(failing), dns.verb(failing, "needs", "need")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "No SPF record needs more DNS lookups than receivers make",
	"none": "No domain has an SPF record",
})
