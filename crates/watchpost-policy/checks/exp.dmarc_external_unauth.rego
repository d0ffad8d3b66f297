# METADATA
# id: exp.dmarc_external_unauth
# title: DMARC reports go to an unauthorized domain
# description: >-
#   Receivers send reports to an address in another domain only if that domain authorizes it in DNS. Without
#   the authorization, the reports are dropped silently.
# scan: exposure
# severity: low
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Ask the other domain to publish a TXT record at <domain>._report._dmarc.<other domain> with v=DMARC1"
#   - "Or report to an address in the domain itself."
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dmarc-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7489"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_dmarc_external_unauth

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_dns as dns

asked(row) := [found | some found in lib.as_list(object.get(row.lookups, "dmarc_external", null)); is_object(found)]

scope := [row | some row in dns.rows; count(asked(row)) > 0]

refused(row) := [found.address_domain | some found in asked(row); found.status in {"empty", "nxdomain"}]

failing := [{"domain": row.domain, "seen": concat(", ", refused(row))} | some row in scope; count(refused(row)) > 0]

unknown := [row.domain | some row in scope; some found in asked(row); not found.status in dns.found_status]

sentence := sprintf("%s %s DMARC reports at a domain that has not authorized them, so they are dropped", [dns.subjects(failing), dns.verb(failing, "requests", "request")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every external address for DMARC reports is authorized",
	"none": "No domain requests DMARC reports at another domain",
})
