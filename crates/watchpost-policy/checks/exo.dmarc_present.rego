# METADATA
# id: exo.dmarc_present
# title: DMARC record on every domain
# description: >-
#   A DMARC record tells receivers how to treat mail that fails SPF and DKIM, and where to report it. The
#   record of the organizational domain applies to its subdomains.
# scan: compliance
# severity: high
# service: exchange
# platforms: [m365]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Publish a TXT record at _dmarc.<domain>, first for monitoring only: v=DMARC1; p=none; rua=mailto:dmarc@<domain>"
#   - "Read the reports for some weeks, and fix SPF and DKIM for every legitimate sender that they show."
#   - "Then tighten it to v=DMARC1; p=quarantine; rua=mailto:dmarc@<domain> and finally to p=reject"
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dmarc-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7489"
# frameworks: ["MS.EXO.4.1v1", "CIS.M365.2.1.10", "NIST.800-53.SI-8"]
package watchpost.checks.exo_dmarc_present

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
	count(dns.dmarc_records(row)) == 1
}

good(row) if {
	lib.scuba
	some text in dns.rdata(row, "dmarc")
	startswith(text, "v=DMARC1;")
}

failing := [{"domain": row.domain, "seen": dns.dmarc_seen(row)} | some row in scope; answered(row); not good(row)]

sentence := sprintf("%s %s receivers what to do with forged mail, so it is delivered", [dns.subjects(failing), dns.verb(failing, "doesn't tell", "don't tell")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain has a DMARC record",
	"none": dns.no_domains,
})
