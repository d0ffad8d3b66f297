# METADATA
# id: exp.dmarc_no_reports
# title: DMARC record without a report address
# description: >-
#   Without an address for aggregate reports, no one learns who sends mail in the domain's name, legitimate
#   or not.
# scan: exposure
# severity: low
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Add an address to the TXT record at _dmarc.<domain>: rua=mailto:dmarc@<domain>"
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dmarc-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7489"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_dmarc_no_reports

import rego.v1

import data.watchpost.checklib_dns as dns

# Domains with a record. `exp.dmarc_missing` judges the others.
with_record := [row | some row in dns.rows; count(dns.dmarc_records(row)) == 1]

record(row) := dns.dmarc_records(row)[0]

scope := array.concat(with_record, [row | some row in dns.rows; not dns.known(row, "dmarc")])

unknown := dns.unknown(scope, "dmarc")

failing := [{"domain": row.domain, "seen": record(row)} | some row in with_record; count(dns.addresses(record(row), "rua")) == 0]

sentence := sprintf("%s %s no DMARC reports, so forged mail goes unnoticed", [dns.subjects(failing), dns.verb(failing, "requests", "request")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every DMARC record requests reports",
	"none": "No domain has a DMARC record",
})
