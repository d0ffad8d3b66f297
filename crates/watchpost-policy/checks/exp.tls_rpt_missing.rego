# METADATA
# id: exp.tls_rpt_missing
# title: No TLS reporting
# description: >-
#   With TLS reporting, other mail servers report when they couldn't encrypt mail to the domain. Without it,
#   such failures go unnoticed.
# scan: exposure
# severity: info
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Publish the TXT record _smtp._tls.<domain>: v=TLSRPTv1; rua=mailto:tls-reports@<domain>"
# references:
#   - "https://www.rfc-editor.org/rfc/rfc8460"
# frameworks: ["NIST.800-53.SC-8", "NIST.800-53.SI-4"]
package watchpost.checks.exp_tls_rpt_missing

import rego.v1

import data.watchpost.checklib_dns as dns

scope := [row | some row in dns.rows; not without_mail(row); not dns.vendor_zone(row)]

without_mail(row) if {
	dns.mx_known(row)
	not dns.receives(row)
}

# Servers ignore several records (RFC 8460, section 3), and send reports only by mail or to a secure address on the web.
has_record(row) if {
	records := [text | some text in dns.rdata(row, "tls_rpt"); regex.match(`^v=TLSRPTv1[ \t]*;`, text)]
	count(records) == 1
	count([1 |
		some address in split(dns.tag(records[0], "rua"), ",")
		regex.match(`^(mailto:[^@\s]+@[^@\s]+\.[^@\s]+|https://[^\s]+)$`, lower(trim_space(address)))
	]) > 0
}

failing := [{"domain": row.domain} | some row in scope; dns.known(row, "tls_rpt"); not has_record(row)]

unknown := dns.unknown(scope, "tls_rpt")

sentence := sprintf("%s %s no reports on failed encryption, so no one notices when mail can't be protected in transit", [dns.subjects(failing), dns.verb(failing, "requests", "request")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain that receives mail requests TLS reports",
	"none": "No domain receives mail",
})
