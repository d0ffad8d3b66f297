# METADATA
# id: exp.dmarc_none
# title: DMARC policy only monitors forged mail
# description: >-
#   The policy none tells receivers to deliver forged mail and report it. A weaker policy for subdomains
#   exposes every name below the domain.
# scan: exposure
# severity: medium
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Read the reports, and fix SPF and DKIM for every legitimate sender."
#   - "Then publish at _dmarc.<domain>: v=DMARC1; p=quarantine; rua=mailto:dmarc@<domain>, and later p=reject."
#   - "Omit sp, or set it to the same policy."
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dmarc-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7489"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_dmarc_none

import rego.v1

import data.watchpost.checklib_dns as dns

# Domains with a record. `exp.dmarc_missing` judges the others.
with_record := [row | some row in dns.rows; count(dns.dmarc_records(row)) == 1; not dns.dmarc_unsure(row)]

record(row) := dns.dmarc_records(row)[0]

unread := array.concat([row | some row in dns.rows; not dns.known(row, "dmarc")], [row | some row in dns.rows; dns.dmarc_unsure(row)])

scope := array.concat(with_record, unread)

unknown := [row.domain | some row in unread]

monitors(row) if dns.dmarc_policy(row) == "none"

# The record's policies for names below the domain.
monitors(row) if {
	some name in {"sp", "np"}
	lower(dns.tag(record(row), name)) == "none"
	not dns.inherited(row)
}

failing := [{"domain": row.domain, "seen": dns.dmarc_seen(row)} | some row in with_record; monitors(row)]

sentence := sprintf("%s only %s forged mail instead of stopping it, for the domain or its subdomains", [dns.subjects(failing), dns.verb(failing, "monitors", "monitor")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "No domain's DMARC policy only monitors",
	"none": "No domain has a DMARC record",
})
