# METADATA
# id: exo.dkim
# title: DKIM signs every domain
# description: >-
#   DKIM signs outgoing mail so that receivers can verify that it is genuine and unchanged. Every domain
#   needs signing turned on in Exchange Online and the key in DNS.
# scan: compliance
# severity: medium
# service: exchange
# platforms: [m365]
# inputs: [dns/domains, exchange/DkimSigningConfig]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Get the two names: Get-DkimSigningConfig -Identity <domain> | Format-List Selector1CNAME,Selector2CNAME"
#   - "Publish both as CNAME records: selector1._domainkey.<domain> and selector2._domainkey.<domain>"
#   - "Then: Set-DkimSigningConfig -Identity <domain> -Enabled $true (for a domain without a row: New-DkimSigningConfig -DomainName <domain> -Enabled $true)"
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-dkim-configure"
#   - "https://www.rfc-editor.org/rfc/rfc6376"
# frameworks: ["MS.EXO.3.1v1", "CIS.M365.2.1.9", "NIST.800-53.SC-8"]
package watchpost.checks.exo_dkim

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_dns as dns

config_path := "exchange/DkimSigningConfig"

# Signing configurations by domain.
configs(row) := [config |
	some config in lib.rows(config_path)
	is_object(config)
	lower(object.get(config, "Domain", object.get(config, "Identity", ""))) == lower(row.domain)
]

enabled(row) if {
	some config in configs(row)
	object.get(config, "Enabled", null) == true
}

published(row) if {
	not lib.scuba
	dns.dkim_signed(row)
}

published(row) if {
	lib.scuba
	some found in dns.dkim_lookups(row)
	some text in dns.answers(found)
	startswith(text, "v=DKIM1;")
}

# The domains that Exchange Online accepts mail for. A domain that is used only in the directory needs no DKIM.
accepted := {lower(config.DomainName) |
	some config in lib.rows("exchange/AcceptedDomain")
	is_object(config)
	is_string(object.get(config, "DomainName", null))
}

mail_domain(_) if count(accepted) == 0

mail_domain(row) if lower(row.domain) in accepted

scope := [row | some row in dns.rows; dns.lookup(row, "spf")] if lib.scuba

scope := [row | some row in dns.rows; mail_domain(row)] if not lib.scuba

good(row) if {
	enabled(row)
	published(row)
}

# A configuration that doesn't tell whether it is on.
unknown_row(row) if {
	not lib.scuba
	not enabled(row)
	count([config | some config in configs(row); not is_boolean(object.get(config, "Enabled", null))]) > 0
}

unknown_row(row) if {
	not lib.scuba
	enabled(row)
	not published(row)
	not dns.dkim_known(row)
}

seen(row) := "signing is off" if not enabled(row)

seen(row) := "no key in DNS" if enabled(row)

failing := [{"domain": row.domain, "seen": seen(row)} |
	some row in scope
	not good(row)
	not unknown_row(row)
]

unknown := [row.domain | some row in scope; unknown_row(row)]

sentence := sprintf("%s %s mail without a DKIM signature, so receivers can't tell it from forged or altered mail", [dns.subjects(failing), dns.verb(failing, "sends", "send")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "DKIM signs the mail of every domain",
	"none": dns.no_domains,
})
