# METADATA
# id: exp.spf_weak
# title: SPF record allows unauthorized senders
# description: >-
#   An SPF record that ends in +all or ?all, or that has no result for other senders, lets anyone send mail
#   in the domain's name.
# scan: exposure
# severity: high
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
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

weak(row) if end(row) in {"+", "?", "none"}

scope := array.concat(with_record, [row | some row in dns.rows; not dns.known(row, "spf")])

failing := [{"domain": row.domain, "seen": dns.spf_records(row)[0]} | some row in with_record; weak(row)]

unknown := [row.domain | some row in scope; not end(row)]

sentence := sprintf("%s %s unauthorized senders pass SPF, so forged mail looks genuine", [dns.subjects(failing), dns.verb(failing, "lets", "let")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "No SPF record allows unauthorized senders",
	"none": "No domain has an SPF record",
})
