# METADATA
# id: exo.allowlist_rules
# title: No transport rule exempts domains from spam filtering
# description: >-
#   A transport rule that sets the spam confidence level (SCL) to -1 for a sender domain lets through all
#   mail that claims to come from there, including forged mail. A rule that looks at the sender's address, the
#   subject or a header, or at nothing, is no better. Rules for given servers aren't judged here.
# scan: compliance
# severity: medium
# service: exchange
# platforms: [m365]
# inputs: [exchange/TransportRule]
# remediation:
#   - "Find the rules: Get-TransportRule | where {$_.SetSCL -eq -1} | Format-List Name,Description"
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

# A rule that skips filtering for mail that anyone can forge: it trusts what the message itself says, or it has no
# condition on senders at all. Mail from given servers, and mail from inside, can't be forged that way.
skips(row) if {
	exchange.number(object.get(row, "SetSCL", null)) == -1
	lower(object.get(row, "State", "Enabled")) == "enabled"
	object.get(row, "Enabled", true) != false
	lower(object.get(row, "Mode", "Enforce")) == "enforce"
	not exchange.rule_waiting(row)
	lower(object.get(row, "FromScope", "")) != "inorganization"
}

by_domain(row) if count(exchange.texts(object.get(row, "SenderDomainIs", null))) > 0

by_server(row) if exchange.filled(object.get(row, "SenderIpRanges", null))

wide := [row |
	some row in exchange.rows(path)
	skips(row)
	forgeable(row)
	not lower(exchange.name(row)) in lib.exempt("policy")
]

forgeable(row) if by_domain(row)

forgeable(row) if not by_server(row)

# Rules whose actions a source doesn't tell. Every rule has an action, and some sources leave out what isn't set.
unreported := [row | some row in exchange.rows(path); not "SetSCL" in object.keys(row); not acts(row)]

acts(row) if {
	some field in {
		"ApplyClassification", "ApplyHtmlDisclaimerText", "ApplyOME", "AddToRecipients", "BlindCopyTo", "CopyTo",
		"DeleteMessage", "GenerateIncidentReport", "GenerateNotification", "ModerateMessageByManager",
		"ModerateMessageByUser", "NotifySender", "PrependSubject", "Quarantine", "RedirectMessageTo",
		"RejectMessageReasonText", "RemoveHeader", "RouteMessageOutboundConnector", "SetAuditSeverity", "SetHeaderName",
		"StopRuleProcessing",
	}
	exchange.filled(object.get(row, field, null))
}

domains := sort({lower(text) | some row in wide; some text in exchange.texts(object.get(row, "SenderDomainIs", null))})

# What rules that name no domain let through.
others := {condition |
	some row in wide
	not by_domain(row)
	condition := described(row)
}

described(row) := sprintf("mail that meets %s", [exchange.named(sort([field | some field in exchange.conditions(row)]))]) if {
	count(exchange.conditions(row)) > 0
} else := "all mail"

passing := array.concat(
	[sprintf("mail that claims to come from %s", [exchange.named(domains)]) | count(domains) > 0],
	sort([text | some text in others]),
)

evidence := [{"rule": exchange.name(row), "domains": exchange.texts(object.get(row, "SenderDomainIs", null)), "conditions": sort([field | some field in exchange.conditions(row)])} | some row in wide]

result := lib.failed_entities(
	sprintf("%s %s %s bypass spam filtering, so forged mail gets through", [exchange.counted(wide, "transport rule", "transport rules"), exchange.verb(wide, "lets", "let"), exchange.named(passing)]),
	domains, evidence, exchange.entities("policy", wide),
) if {
	count(wide) > 0
} else := lib.skipped("unreadable", exchange.missing(path, "SetSCL")) if {
	count(unreported) > 0
} else := lib.passed("No transport rule exempts a sender domain from spam filtering", {"rules": count(exchange.rows(path))})
