# METADATA
# id: exp.null_mx
# title: Parked domain can be spoofed
# description: >-
#   A domain that takes no mail should also say that it sends none: with SPF v=spf1 -all and the DMARC policy
#   reject. Otherwise it is a free gift to forgers.
# scan: exposure
# severity: medium
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
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

rejects(row) if dns.dmarc_policy(row) == "reject"

safe(row) if {
	dns.locked(row)
	rejects(row)
}

# One open door is enough to fail, whatever the other lookup would say.
open(row) if {
	dns.known(row, "spf")
	not dns.locked(row)
}

open(row) if {
	dns.known(row, "dmarc")
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

sentence := sprintf("%s %s no mail but %s not say that %s none either, so forgers can use the name", [
	dns.subjects(failing), dns.verb(failing, "takes", "take"), dns.verb(failing, "does", "do"), dns.verb(failing, "it sends", "they send"),
])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain that takes no mail also says that it sends none.",
	"none": "Every domain takes mail.",
})
