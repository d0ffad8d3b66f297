# METADATA
# id: exp.bimi
# title: BIMI record without effect
# description: >-
#   Brand Indicators for Message Identification (BIMI) shows a company's logo beside its mail. It is optional.
#   This check reports whether a BIMI record exists, and fails if the record can't work because DMARC doesn't
#   stop forged mail.
# scan: exposure
# severity: info
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "First set DMARC to p=quarantine or p=reject with pct=100."
#   - "Publish the TXT record default._bimi.<domain>: v=BIMI1; l=https://<domain>/logo.svg; a=https://<domain>/certificate.pem"
# references:
#   - "https://bimigroup.org/implementation-guide/"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_bimi

import rego.v1

import data.watchpost.checklib_dns as dns

scope := dns.rows

record(row) := records[0] if {
	records := [text | some text in dns.rdata(row, "bimi"); startswith(replace(lower(text), " ", ""), "v=bimi1;")]
	count(records) > 0
}

enforced(row) if dns.dmarc_policy(row) in {"quarantine", "reject"}

failing := [{"domain": row.domain, "seen": record(row)} | some row in scope; record(row); dns.known(row, "dmarc"); not enforced(row)]

unknown := dns.unknown(scope, "bimi")

published := [row.domain | some row in scope; record(row)]

state := "No domain publishes a BIMI record, which is optional" if count(published) == 0

state := sprintf("BIMI works for %s", [dns.subjects(dns.plain(published))]) if count(published) > 0

sentence := sprintf("%s %s a BIMI record, but DMARC doesn't stop forged mail there, so no logo is shown", [dns.subjects(failing), dns.verb(failing, "publishes", "publish")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": state,
	"none": dns.no_domains,
})
