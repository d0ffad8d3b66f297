# METADATA
# id: exo.mailtips
# title: External-recipient MailTips are on
# description: >-
#   MailTips warn people before they send mail to external recipients or to a large audience by mistake.
# scan: compliance
# severity: low
# service: exchange
# platforms: [m365]
# inputs: [exchange/OrganizationConfig]
# remediation:
#   - "In Exchange Online PowerShell: Set-OrganizationConfig -MailTipsAllTipsEnabled $true -MailTipsExternalRecipientsTipsEnabled $true -MailTipsGroupMetricsEnabled $true -MailTipsLargeAudienceThreshold 25"
# references:
#   - "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/mailtips/mailtips"
# frameworks: ["CIS.M365.6.5.2", "NIST.800-53.AT-2"]
# params:
#   audience_max: 25
package watchpost.checks.exo_mailtips

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_exchange as exchange

path := "exchange/OrganizationConfig"

switches := ["MailTipsAllTipsEnabled", "MailTipsExternalRecipientsTipsEnabled", "MailTipsGroupMetricsEnabled"]

limit := input.params.audience_max

off := [field | some field in switches; count(exchange.having(path, field, false)) > 0]

thresholds := [value |
	some row in exchange.rows(path)
	value = exchange.number(object.get(row, "MailTipsLargeAudienceThreshold", null))
]

high := [value | some value in thresholds; value > limit]

problems := array.concat(
	[sprintf("%s is false", [field]) | some field in off],
	[sprintf("MailTipsLargeAudienceThreshold is %d", [value]) | some value in high],
)

unreported := [field | some field in switches; count(exchange.having(path, field, true)) == 0]

result := lib.failed(
	sprintf("MailTips don't warn people before they send mail to external recipients or to a large audience (%s), so mistakes go unnoticed", [concat(", ", problems)]),
	problems, [{"setting": path, "problem": problem} | some problem in problems],
) if {
	count(problems) > 0
} else := lib.skipped("unreadable", exchange.missing(path, concat(", ", unreported))) if {
	count(unreported) > 0
} else := lib.skipped("unreadable", exchange.missing(path, "MailTipsLargeAudienceThreshold")) if {
	count(thresholds) == 0
} else := lib.passed("MailTips warn about external recipients and large audiences", {"MailTipsLargeAudienceThreshold": max(thresholds)})
