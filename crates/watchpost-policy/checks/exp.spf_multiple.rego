# METADATA
# id: exp.spf_multiple
# title: Multiple SPF records
# description: >-
#   Two SPF records on one domain are an error that makes receivers ignore both.
# scan: exposure
# severity: high
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Merge them into one TXT record: all mechanisms of both behind one v=spf1, and one -all at the end."
#   - "Delete the other record."
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7208"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_spf_multiple

import rego.v1

import data.watchpost.checklib_dns as dns

scope := dns.rows

unknown := dns.unknown(scope, "spf")

failing := [{"domain": row.domain, "seen": sprintf("%d records", [count(dns.spf_records(row))])} | some row in scope; count(dns.spf_records(row)) > 1]

sentence := sprintf("%s %s more than one SPF record, so receivers ignore all of them", [dns.subjects(failing), dns.verb(failing, "has", "have")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "No domain has more than one SPF record",
	"none": dns.no_domains,
})
