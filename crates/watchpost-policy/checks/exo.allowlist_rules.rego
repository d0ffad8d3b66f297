# METADATA
# id: exo.allowlist_rules
# title: No transport rule exempts domains from spam filtering
# description: >-
#   A transport rule that sets the spam confidence level (SCL) to -1 for a sender domain lets through all
#   mail that claims to come from there, including forged mail.
# scan: compliance
# severity: medium
# service: exchange
# platforms: [m365]
# inputs: [exchange/TransportRule]
# remediation:
#   - "Find the rules: Get-TransportRule | where {$_.SetSCL -eq -1 -and $_.SenderDomainIs} | Format-List Name,SenderDomainIs"
#   - "Remove each: Remove-TransportRule -Identity \"<name>\", or remove the domain from it."
#   - "If mail from a sender really is filtered wrongly, use the Tenant Allow/Block List in the Defender portal, whose entries expire and still check authentication."
# references:
#   - "https://learn.microsoft.com/defender-office-365/create-safe-sender-lists-in-office-365"
# frameworks: ["CIS.M365.6.2.2", "NIST.800-53.SI-8"]
package watchpost.checks.exo_allowlist_rules

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_exchange as exchange

path := "exchange/TransportRule"

wide := [row |
	some row in exchange.rows(path)
	object.get(row, "State", "Enabled") == "Enabled"
	exchange.number(object.get(row, "SetSCL", null)) == -1
	count(exchange.texts(object.get(row, "SenderDomainIs", null))) > 0
]

domains := sort({lower(text) | some row in wide; some text in exchange.texts(row.SenderDomainIs)})

evidence := [{"rule": exchange.name(row), "domains": exchange.texts(row.SenderDomainIs)} | some row in wide]

result := lib.failed_entities(
	sprintf("%s %s mail that claims to come from %s bypass spam filtering, so forged mail gets through", [exchange.counted(wide, "transport rule", "transport rules"), exchange.verb(wide, "lets", "let"), exchange.named(domains)]),
	domains, evidence, exchange.entities("policy", wide),
) if {
	count(wide) > 0
} else := lib.passed("No transport rule exempts a sender domain from spam filtering", {"rules": count(exchange.rows(path))})
