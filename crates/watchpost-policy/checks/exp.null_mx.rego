# METADATA
# id: exp.null_mx
# title: Parked domain can be spoofed
# description: >-
#   A domain that receives no mail should also declare that it sends none: with the SPF record v=spf1 -all
#   and the DMARC policy reject. Otherwise anyone can forge mail in its name.
# scan: exposure
# severity: medium
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Publish three records: <domain>. IN MX 0 ."
#   - "<domain>. IN TXT \"v=spf1 -all\""
#   - "_dmarc.<domain>. IN TXT \"v=DMARC1; p=reject;\""
# references:
#   - "https://www.rfc-editor.org/rfc/rfc7505"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_null_mx

import rego.v1

import data.watchpost.checklib_dns as dns

parked(row) if {
	dns.mx_known(row)
	not dns.receives(row)
}

rejects(row) if dns.dmarc_rejects(row)

safe(row) if {
	dns.locked(row)
	rejects(row)
}

# One missing protection is enough to fail, whatever the other lookup returns.
open(row) if {
	dns.known(row, "spf")
	not dns.locked(row)
}

open(row) if {
	dns.known(row, "dmarc")
	not dns.dmarc_unsure(row)
	not rejects(row)
}

spf_seen(row) := dns.spf_records(row)[0] if {
	count(dns.spf_records(row)) > 0
} else := "no SPF record"

dmarc_seen(row) := sprintf("p=%s", [dns.dmarc_policy(row)]) if {
	dns.dmarc_policy(row)
} else := "no DMARC record"

unsure(row) if not dns.mx_known(row)

unsure(row) if {
	parked(row)
	not open(row)
	not safe(row)
}

scope := [row | some row in dns.rows; not settled(row)]

settled(row) if {
	dns.mx_known(row)
	not parked(row)
}

failing := [{"domain": row.domain, "seen": sprintf("%s, %s", [dns.clip(spf_seen(row)), dmarc_seen(row)])} | some row in scope; parked(row); open(row)]

unknown := [row.domain | some row in scope; unsure(row)]

sentence := sprintf("%s %s no mail but %s not declare that %s none, so anyone can forge mail in %s name", [
	dns.subjects(failing), dns.verb(failing, "receives", "receive"), dns.verb(failing, "does", "do"), dns.verb(failing, "it sends", "they send"), dns.verb(failing, "its", "their"),
])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain that receives no mail also declares that it sends none",
	"none": "Every domain receives mail",
})
