# METADATA
# id: exp.dnssec_missing
# title: Domain is not signed with DNSSEC
# description: >-
#   Without DNSSEC, an attacker who tampers with DNS answers can redirect a domain's mail and sign-ins.
# scan: exposure
# severity: low
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Turn on DNSSEC signing at the provider that hosts the zone."
#   - "Give the registrar the DS record that the provider shows: <domain>. IN DS <key tag> 13 2 <digest>"
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

sentence := sprintf("%s %s not signed with DNSSEC, so forged DNS answers can redirect mail and visitors", [dns.subjects(failing), dns.verb(failing, "is", "are")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain is signed with DNSSEC",
	"none": dns.no_domains,
})
