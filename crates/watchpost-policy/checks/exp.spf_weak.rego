# METADATA
# id: exp.spf_weak
# title: SPF lets strangers pass
# description: >-
#   An SPF record that ends in +all or ?all, or says nothing about other senders, lets anybody send mail in the
#   domain's name.
# scan: exposure
# severity: high
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# remediation:
#   - "Read the reports of DMARC first, so that every real sender is listed."
#   - "End the TXT record in -all (or ~all while you still watch): v=spf1 include:spf.protection.outlook.com -all"
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7208"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_spf_weak

import rego.v1

import data.watchpost.checklib_dns as dns

# Domains with one record; none and several are other checks' matter.
with_record := [row | some row in dns.rows; count(dns.spf_records(row)) == 1]

end(row) := dns.spf_end(row, dns.spf_records(row)[0])

weak(row) if end(row) in {"+", "?", "none"}

scope := array.concat(with_record, [row | some row in dns.rows; not dns.known(row, "spf")])

failing := [{"domain": row.domain, "seen": dns.spf_records(row)[0]} | some row in with_record; weak(row)]

unknown := [row.domain | some row in scope; not end(row)]

sentence := sprintf("%s %s strangers pass as senders, so forged mail looks real", [dns.subjects(failing), dns.verb(failing, "lets", "let")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "No SPF record lets strangers pass.",
	"none": "No domain has an SPF record.",
})
