# METADATA
# id: exo.dmarc_contacts
# title: DMARC record has aggregate and failure report contacts
# description: >-
#   DMARC reports show who sends mail in a domain's name. Aggregate (rua) and failure (ruf) reports each need
#   an address that someone reads.
# scan: compliance
# severity: low
# service: exchange
# platforms: [m365]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Set both in the TXT record at _dmarc.<domain>: rua=mailto:dmarc@<domain>; ruf=mailto:dmarc-failures@<domain>"
#   - "For an address in another domain, that domain must publish <domain>._report._dmarc.<other domain> with v=DMARC1"
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dmarc-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7489"
# frameworks: ["MS.EXO.4.4v1", "NIST.800-53.SI-4(5)"]
package watchpost.checks.exo_dmarc_contacts

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_dns as dns

scope := [row | some row in dns.all_rows; dns.lookup(row, "dmarc"); not dns.exempted(row)] if lib.scuba

scope := dns.rows if not lib.scuba

unknown := [] if lib.scuba

unknown := dns.unknown(scope, "dmarc") if not lib.scuba

answered(_) if lib.scuba

answered(row) if dns.known(row, "dmarc")

good(row) if {
	not lib.scuba
	count(own(row, "rua")) > 0
	count(own(row, "ruf")) > 0
}

# A report that only CISA receives reaches no one in the organization.
own(row, wanted) := {address |
	some address in dns.addresses(dns.dmarc_record(row), wanted)
	not endswith(address, "@dmarc.cyber.dhs.gov")
}

# The published reading: every answer has two addresses in a part with `rua=` and one in a part with `ruf=`, counted
# by the sign that every address has.
good(row) if {
	lib.scuba
	count(dns.rdata(row, "dmarc")) > 0
	every text in dns.rdata(row, "dmarc") {
		signs(text, "rua=", 2)
		signs(text, "ruf=", 1)
	}
}

signs(text, word, least) if {
	some part in split(text, ";")
	contains(part, word)
	count(split(part, "@")) > least
}

failing := [{"domain": row.domain, "seen": dns.dmarc_seen(row)} | some row in scope; answered(row); not good(row)]

sentence := sprintf("%s %s addresses for both aggregate and failure reports, so forged mail goes unnoticed", [dns.subjects(failing), dns.verb(failing, "doesn't have", "don't have")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain has addresses for aggregate and failure reports",
	"none": dns.no_domains,
})
