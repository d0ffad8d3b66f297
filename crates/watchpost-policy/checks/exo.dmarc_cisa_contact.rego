# METADATA
# id: exo.dmarc_cisa_contact
# title: DMARC reports are sent to CISA (US federal agencies)
# description: >-
#   US federal agencies must send aggregate DMARC reports to CISA. This check doesn't apply to anyone else;
#   set the parameter us_federal to enable it.
# scan: compliance
# severity: info
# service: exchange
# platforms: [m365]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Add CISA's address to rua in the TXT record at _dmarc.<domain>: rua=mailto:reports@dmarc.cyber.dhs.gov,mailto:dmarc@<domain>"
#   - "If you aren't a US federal agency, do nothing: this check doesn't apply."
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dmarc-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7489"
# frameworks: ["MS.EXO.4.3v1", "NIST.800-53.SI-4(5)"]
# params:
#   us_federal: false
package watchpost.checks.exo_dmarc_cisa_contact

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_dns as dns

federal if lib.scuba

federal if input.params.us_federal == true

scope := [row | some row in dns.all_rows; dns.lookup(row, "dmarc"); not dns.exempted(row)] if lib.scuba

scope := dns.rows if not lib.scuba

unknown := [] if lib.scuba

unknown := dns.unknown(scope, "dmarc") if not lib.scuba

answered(_) if lib.scuba

answered(row) if dns.known(row, "dmarc")

address := "mailto:reports@dmarc.cyber.dhs.gov"

good(row) if {
	not lib.scuba
	trim_prefix(address, "mailto:") in dns.addresses(dns.dmarc_record(row), "rua")
}

# The published reading: every answer has the address in a part that holds `rua=`.
good(row) if {
	lib.scuba
	count(dns.rdata(row, "dmarc")) > 0
	every text in dns.rdata(row, "dmarc") {
		reported(text)
	}
}

reported(text) if {
	some part in split(text, ";")
	contains(part, "rua=")
	contains(part, address)
}

failing := [{"domain": row.domain, "seen": dns.dmarc_seen(row)} | some row in scope; answered(row); not good(row)]

sentence := sprintf("%s %s no DMARC reports to CISA, which US federal agencies must do", [dns.subjects(failing), dns.verb(failing, "sends", "send")])

judged := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain sends DMARC reports to CISA",
	"none": dns.no_domains,
})

result := judged if {
	federal
} else := lib.skipped("not_applicable", "Only US federal agencies must report to CISA; set the parameter us_federal to enable this check")
