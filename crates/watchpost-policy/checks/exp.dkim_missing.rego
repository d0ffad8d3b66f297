# METADATA
# id: exp.dkim_missing
# title: No DKIM key found
# description: >-
#   No common or configured DKIM selector has a key, so mail is sent unsigned and fails DMARC as soon as it
#   is forwarded.
# scan: exposure
# severity: medium
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Microsoft 365: publish the CNAME records that Get-DkimSigningConfig -Identity <domain> shows, then run Set-DkimSigningConfig -Identity <domain> -Enabled $true"
#   - "Google Workspace: Admin console, Apps, Gmail, Authenticate email: generate a 2048-bit key, publish the TXT record google._domainkey.<domain>, start authentication."
#   - "For another sender, add its selector in Watchpost so that it is looked up too."
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dkim-configure"
#   - "https://www.rfc-editor.org/rfc/rfc6376"
# frameworks: ["NIST.800-53.SI-8"]
package watchpost.checks.exp_dkim_missing

import rego.v1

import data.watchpost.checklib_dns as dns

# A parked domain that declares that it sends no mail has nothing to sign.
parked(row) if {
	dns.locked(row)
	dns.mx_known(row)
	not dns.receives(row)
}

scope := [row | some row in dns.rows; not parked(row)]

selectors(row) := concat(", ", [text | some found in dns.dkim_lookups(row); text := object.get(found, "selector", "?"); is_string(text)])

revoked(row) if {
	some found in dns.dkim_lookups(row)
	some text in dns.answers(found)
	dns.tag(text, "p") == ""
}

seen(row) := "key revoked" if revoked(row)

seen(row) := sprintf("no key at %s", [selectors(row)]) if not revoked(row)

failing := [{"domain": row.domain, "seen": seen(row)} | some row in scope; not dns.dkim_signed(row); dns.dkim_known(row)]

unknown := [row.domain | some row in scope; not dns.dkim_signed(row); not dns.dkim_known(row)]

sentence := sprintf("%s %s no DKIM key at the common selectors, so %s mail is probably unsigned and can't be distinguished from forgeries", [dns.subjects(failing), dns.verb(failing, "has", "have"), dns.verb(failing, "its", "their")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain has a DKIM key",
	"none": dns.no_domains,
})
