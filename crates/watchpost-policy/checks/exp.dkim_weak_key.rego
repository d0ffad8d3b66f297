# METADATA
# id: exp.dkim_weak_key
# title: DKIM key under 1024 bits
# description: >-
#   Anyone with moderate computing power can break a short DKIM key and then sign forged mail. 2048 bits are
#   good practice.
# scan: exposure
# severity: medium
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Microsoft 365: Rotate-DkimSigningConfig -Identity <domain> -KeySize 2048"
#   - "Google Workspace: Admin console, Apps, Gmail, Authenticate email: generate a new 2048-bit key and replace the TXT record."
#   - "Delete selectors of services that no longer send."
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dkim-configure"
#   - "https://www.rfc-editor.org/rfc/rfc6376"
# frameworks: ["NIST.800-53.SI-8"]
# params:
#   bits_min: 1024
package watchpost.checks.exp_dkim_weak_key

import rego.v1

import data.watchpost.checklib_dns as dns

rsa(text) if not dns.tag(text, "k")

rsa(text) if lower(dns.tag(text, "k")) == "rsa"

# The exact size if the key was parsed, otherwise an estimate from its length: a 1024-bit key has 216 characters, a
# 2048-bit key 392.
bits(found, _) := found.key_bits if is_number(object.get(found, "key_bits", null))

bits(found, text) := 512 if {
	not is_number(object.get(found, "key_bits", null))
	size(text) < 160
}

bits(found, text) := 768 if {
	not is_number(object.get(found, "key_bits", null))
	size(text) >= 160
	size(text) < 208
}

bits(found, text) := 1024 if {
	not is_number(object.get(found, "key_bits", null))
	size(text) >= 208
	size(text) < 370
}

bits(found, text) := 2048 if {
	not is_number(object.get(found, "key_bits", null))
	size(text) >= 370
}

size(text) := count(replace(dns.tag(text, "p"), " ", ""))

keys(row) := [{"selector": object.get(found, "selector", "?"), "bits": bits(found, text)} |
	some found in dns.dkim_lookups(row)
	some text in dns.dkim_keys(found)
	dns.tag(text, "p")
	rsa(text)
]

scope := array.concat([row | some row in dns.rows; count(keys(row)) > 0], [row | some row in dns.rows; count(keys(row)) == 0; not dns.dkim_known(row)])

weak(row) := [key | some key in keys(row); key.bits < input.params.bits_min]

failing := [{"domain": row.domain, "seen": sprintf("%s, %d bits", [weak(row)[0].selector, weak(row)[0].bits])} | some row in scope; count(weak(row)) > 0]

unknown := [row.domain | some row in scope; not dns.dkim_known(row)]

sentence := sprintf("%s %s with a key so short that attackers can break it and sign forged mail", [dns.subjects(failing), dns.verb(failing, "signs", "sign")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every DKIM key is long enough",
	"none": "No domain has an RSA key for DKIM",
})
