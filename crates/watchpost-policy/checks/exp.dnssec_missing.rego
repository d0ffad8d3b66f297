# METADATA
# id: exp.dnssec_missing
# title: Domain is not signed
# description: >-
#   Without DNSSEC somebody who tampers with DNS answers can send a domain's mail and sign-ins elsewhere.
# scan: exposure
# severity: low
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# remediation:
#   - "Switch DNSSEC signing on at the provider that hosts the zone."
#   - "Give the DS record that it shows to the registrar: <domain>. IN DS <key tag> 13 2 <digest>"
#   - "Check: dig +dnssec DS <domain>"
# references:
#   - "https://www.rfc-editor.org/rfc/rfc4033"
# frameworks: ["NIST.800-53.SC-20"]
package watchpost.checks.exp_dnssec_missing

import rego.v1

import data.watchpost.checklib_dns as dns

scope := [row | some row in dns.rows; not dns.vendor_zone(row)]

failing := [{"domain": row.domain} | some row in scope; dns.known(row, "ds"); count(dns.rdata(row, "ds")) == 0]

unknown := dns.unknown(scope, "ds")

sentence := sprintf("%s %s not signed with DNSSEC, so forged DNS answers can lead mail and visitors elsewhere", [dns.subjects(failing), dns.verb(failing, "is", "are")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain is signed.",
	"none": dns.no_domains,
})
