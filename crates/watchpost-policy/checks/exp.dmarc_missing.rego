# METADATA
# id: exp.dmarc_missing
# condition: exo.dmarc_present
# title: No DMARC record
# description: >-
#   Without exactly one DMARC record, at the domain or its organizational domain, receivers deliver mail that
#   fails SPF and DKIM.
# scan: exposure
# severity: high
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Publish a TXT record at _dmarc.<domain>, first for monitoring only: v=DMARC1; p=none; rua=mailto:dmarc@<domain>"
#   - "Read the reports for some weeks, and fix SPF and DKIM for every legitimate sender that they show."
#   - "Then tighten it to v=DMARC1; p=quarantine; rua=mailto:dmarc@<domain> and finally to p=reject"
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dmarc-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7489"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_dmarc_missing

import rego.v1

import data.watchpost.checklib_dns as dns

scope := dns.rows

unknown := dns.unknown(scope, "dmarc")

seen(row) := "none" if count(dns.dmarc_records(row)) == 0

seen(row) := sprintf("%d records", [count(dns.dmarc_records(row))]) if count(dns.dmarc_records(row)) > 1

failing := [{"domain": row.domain, "seen": seen(row)} | some row in scope; dns.known(row, "dmarc"); count(dns.dmarc_records(row)) != 1]

sentence := sprintf("%s %s not have exactly one DMARC record, so receivers deliver forged mail", [dns.subjects(failing), dns.verb(failing, "does", "do")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain has a DMARC record",
	"none": dns.no_domains,
})
