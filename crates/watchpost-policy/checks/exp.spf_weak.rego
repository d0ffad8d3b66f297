# METADATA
# id: exp.spf_weak
# title: SPF record allows unauthorized senders
# description: >-
#   An SPF record that ends in +all or ?all, that has no result for other senders, that allows a large part of
#   the internet, or that receivers can't evaluate lets anyone send mail in the domain's name.
# scan: exposure
# severity: high
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "First read the DMARC reports, so that every legitimate sender is listed."
#   - "End the TXT record with -all (or with ~all while you still monitor): v=spf1 include:spf.protection.outlook.com -all"
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7208"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_spf_weak

import rego.v1

import data.watchpost.checklib_dns as dns

# Domains with exactly one record. `exp.spf_missing` and `exp.spf_multiple` judge the others.
with_record := [row | some row in dns.rows; count(dns.spf_records(row)) == 1]

end(row) := dns.spf_end(row, dns.spf_records(row)[0])

record(row) := dns.spf_records(row)[0]

# A record that receivers can't evaluate or that lets in a large part of the internet. `exp.spf_lookups` counts lookups.
problem(row) := dns.spf_error(row, record(row))

problem(row) := dns.spf_opening(row, record(row)) if not dns.spf_error(row, record(row))

weak(row) if problem(row)

weak(row) if end(row) in {"+", "?", "none"}

seen(row) := sprintf("%s: %s", [problem(row), record(row)]) if problem(row)

seen(row) := record(row) if not problem(row)

scope := array.concat(with_record, [row | some row in dns.rows; not dns.known(row, "spf")])

failing := [{"domain": row.domain, "seen": seen(row)} | some row in with_record; weak(row)]

unknown := [row.domain | some row in scope; not weak(row); not end(row)]

sentence := sprintf("%s %s unauthorized senders pass SPF, so forged mail looks genuine", [dns.subjects(failing), dns.verb(failing, "lets", "let")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "No SPF record allows unauthorized senders",
	"none": "No domain has an SPF record",
})
