# METADATA
# id: exp.dmarc_partial
# title: DMARC policy applies to only part of the mail
# description: >-
#   With pct below 100, receivers treat the rest of the forged mail according to the next weaker policy. In
#   test mode (t=y), they treat all of it like that.
# scan: exposure
# severity: low
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Remove pct and t from the TXT record at _dmarc.<domain> once the reports show no legitimate sender failing."
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dmarc-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7489"
#   - "https://www.rfc-editor.org/rfc/rfc9989"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_dmarc_partial

import rego.v1

import data.watchpost.checklib_dns as dns

# Domains with a record. `exp.dmarc_missing` judges the others.
with_record := [row | some row in dns.rows; count(dns.dmarc_records(row)) == 1]

record(row) := dns.dmarc_records(row)[0]

scope := array.concat(with_record, [row | some row in dns.rows; not dns.known(row, "dmarc")])

unknown := dns.unknown(scope, "dmarc")

limit(row) := "t=y" if dns.dmarc_testing(record(row))

limit(row) := sprintf("pct=%d", [dns.dmarc_percent(record(row))]) if {
	not dns.dmarc_testing(record(row))
	dns.dmarc_percent(record(row)) < 100
}

failing := [{"domain": row.domain, "seen": limit(row)} | some row in with_record; limit(row)]

sentence := sprintf("%s %s the DMARC policy to only part of the forged mail, so the rest is treated less strictly", [dns.subjects(failing), dns.verb(failing, "applies", "apply")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every DMARC policy applies to all mail",
	"none": "No domain has a DMARC record",
})
