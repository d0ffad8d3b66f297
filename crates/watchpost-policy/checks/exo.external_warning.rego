# METADATA
# id: exo.external_warning
# title: External mail is marked
# description: >-
#   People are careful with mail from outside only if they can tell it from mail by colleagues. Either a
#   transport rule writes a warning into the subject, or Outlook shows its External tag.
# scan: compliance
# severity: low
# service: exchange
# platforms: [m365]
# inputs: [exchange/TransportRule]
# optional_inputs: [exchange/ExternalInOutlook]
# remediation:
#   - "The simple way, in Exchange Online PowerShell: Set-ExternalInOutlook -Enabled $true"
#   - "Or with a rule that every client shows: New-TransportRule -Name \"Mark external mail\" -FromScope NotInOrganization -PrependSubject \"[External] \" -Mode Enforce"
#   - "Give it a day until all clients show it."
# references:
#   - "https://learn.microsoft.com/powershell/module/exchange/set-externalinoutlook"
#   - "https://learn.microsoft.com/powershell/module/exchange/new-transportrule"
# frameworks: ["MS.EXO.7.1v1", "CIS.M365.6.2.3", "NIST.800-53.SI-8"]
package watchpost.checks.exo_external_warning

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_exchange as exchange

path := "exchange/TransportRule"

tag_path := "exchange/ExternalInOutlook"

marking := [row |
	some row in exchange.rows(path)
	row.State == "Enabled"
	row.Mode == "Enforce"
	row.FromScope == "NotInOrganization"
	is_string(row.PrependSubject)
	row.PrependSubject != ""
]

# Outlook's own tag; the published reading knows the rule only.
tagged if {
	not lib.scuba
	count(exchange.having(tag_path, "Enabled", true)) > 0
}

tag_known if lib.scuba

tag_known if count(exchange.having(tag_path, "Enabled", false)) > 0

sentence := "Neither a transport rule nor Outlook's External tag marks mail from outside, so people can't tell it from mail by colleagues"

result := lib.passed(sprintf("The transport rule %s marks mail from outside.", [exchange.clip(exchange.name(marking[0]))]), marking[0].PrependSubject) if {
	count(marking) > 0
} else := lib.passed("Outlook marks mail from outside with its External tag.", {"ExternalInOutlook": true}) if {
	tagged
} else := lib.failed(sentence, {"rules": count(exchange.rows(path))}, [{"setting": path, "field": "rules that mark external mail", "value": 0}]) if {
	tag_known
	lib.has(path)
} else := lib.skipped("unreadable", "No transport rule marks mail from outside, and whether Outlook's External tag is on could not be read.")
