# METADATA
# id: exo.dmarc_reject
# title: DMARC policy is reject
# description: >-
#   Only the policy reject makes receivers reject forged mail. With quarantine, it goes to the junk folder;
#   with none, it is delivered.
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
# frameworks: ["MS.EXO.4.2v1", "CIS.M365.2.1.10", "NIST.800-53.SI-8"]
package watchpost.checks.exo_dmarc_reject

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_dns as dns

scope := [row | some row in dns.all_rows; dns.lookup(row, "dmarc"); not dns.exempted(row)] if lib.scuba

scope := dns.rows if not lib.scuba

unknown := [] if lib.scuba

unknown := [row.domain | some row in scope; not answered(row)] if not lib.scuba

answered(_) if lib.scuba

answered(row) if {
	dns.known(row, "dmarc")
	not dns.dmarc_unsure(row)
}

good(row) if {
	not lib.scuba
	dns.dmarc_rejects(row)
}

good(row) if {
	lib.scuba
	some text in dns.rdata(row, "dmarc")
	contains(text, "p=reject;")
}

failing := [{"domain": row.domain, "seen": dns.dmarc_seen(row)} | some row in scope; answered(row); not good(row)]

sentence := sprintf("%s %s receivers to reject forged mail, so some of it is delivered", [dns.subjects(failing), dns.verb(failing, "doesn't tell", "don't tell")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain's DMARC policy is reject",
	"none": dns.no_domains,
})
