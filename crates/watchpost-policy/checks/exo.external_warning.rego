# METADATA
# id: exo.external_warning
# title: External mail is marked
# description: >-
#   People can be careful with external mail only if they can tell it from internal mail. Either a transport
#   rule adds a warning to the subject, or Outlook shows its External tag.
# scan: compliance
# severity: low
# service: exchange
# platforms: [m365]
# inputs: [exchange/TransportRule]
# optional_inputs: [exchange/ExternalInOutlook]
# remediation:
#   - "The simplest way, in Exchange Online PowerShell: Set-ExternalInOutlook -Enabled $true"
#   - "Or with a rule, whose mark every client shows: New-TransportRule -Name \"Mark external mail\" -FromScope NotInOrganization -PrependSubject \"[External] \" -Mode Enforce"
#   - "It takes up to a day until all clients show the tag."
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

# Outlook's own tag. The published reading accepts only the rule.
tagged if {
	not lib.scuba
	count(exchange.having(tag_path, "Enabled", true)) > 0
}

tag_known if lib.scuba

tag_known if count(exchange.having(tag_path, "Enabled", false)) > 0

sentence := "Neither a transport rule nor Outlook's External tag marks external mail, so people can't tell it from internal mail"

result := lib.passed(sprintf("The transport rule %s marks external mail", [exchange.clip(exchange.name(marking[0]))]), marking[0].PrependSubject) if {
	count(marking) > 0
} else := lib.passed("Outlook marks external mail with its External tag", {"ExternalInOutlook": true}) if {
	tagged
} else := lib.failed(sentence, {"rules": count(exchange.rows(path))}, [{"setting": path, "field": "rules that mark external mail", "value": 0}]) if {
	tag_known
	lib.has(path)
} else := lib.skipped("unreadable", "No transport rule marks external mail, and it is unknown whether Outlook's External tag is on")
