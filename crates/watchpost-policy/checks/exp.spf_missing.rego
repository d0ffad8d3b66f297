# METADATA
# id: exp.spf_missing
# title: No SPF record
# description: >-
#   Without an SPF record, receivers don't know which servers may send mail for a domain.
# scan: exposure
# severity: high
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "List every service that sends mail in the domain's name (Microsoft 365, newsletters, ticket systems, printers)."
#   - "Publish one TXT record at the domain itself, for Microsoft 365 alone: v=spf1 include:spf.protection.outlook.com -all"
#   - "Add an include: or ip4: for every other sender before -all, in the same record."
#   - "For a domain that sends no mail: v=spf1 -all"
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7208"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_spf_missing

import rego.v1

import data.watchpost.checklib_dns as dns

scope := dns.rows

unknown := dns.unknown(scope, "spf")

failing := [{"domain": row.domain} | some row in scope; dns.known(row, "spf"); count(dns.spf_records(row)) == 0]

sentence := sprintf("%s %s no SPF record, so receivers can't tell who may send mail in %s name", [dns.subjects(failing), dns.verb(failing, "has", "have"), dns.verb(failing, "its", "their")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain has an SPF record",
	"none": dns.no_domains,
})
