# METADATA
# id: exp.caa_missing
# title: Any certificate authority may issue certificates
# description: >-
#   A CAA record names the certificate authorities that may issue certificates for a domain. Without one, any
#   certificate authority may.
# scan: exposure
# severity: info
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Find out which authorities issue your certificates (crt.sh lists them)."
#   - "Publish for each authority: <domain>. IN CAA 0 issue \"<authority's domain>\""
#   - "Add a contact: <domain>. IN CAA 0 iodef \"mailto:security@<domain>\""
# references:
#   - "https://www.rfc-editor.org/rfc/rfc8659"
# frameworks: ["NIST.800-53.SC-17"]
package watchpost.checks.exp_caa_missing

import rego.v1

import data.watchpost.checklib_dns as dns

scope := [row | some row in dns.rows; not dns.vendor_zone(row)]

# Records that only ask for reports or concern other certificates let any authority issue (RFC 8659, section 5).
names(row) if {
	some text in dns.rdata(row, "caa")
	regex.match(`(?i)^\s*[0-9]+\s+issue\s`, text)
}

failing := [{"domain": row.domain} | some row in scope; dns.known(row, "caa"); not names(row)]

unknown := dns.unknown(scope, "caa")

sentence := sprintf("%s %s any certificate authority issue certificates, so an attacker needs to trick only one to impersonate %s", [dns.subjects(failing), dns.verb(failing, "lets", "let"), dns.verb(failing, "it", "them")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain names the certificate authorities that may issue certificates",
	"none": dns.no_domains,
})
