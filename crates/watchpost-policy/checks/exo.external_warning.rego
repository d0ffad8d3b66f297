# METADATA
# id: exo.external_warning
# title: External mail is marked
# description: >-
#   People can be careful with external mail only if they can tell it from internal mail. Either a transport
#   rule adds a warning to the subject or above the message, or Outlook shows its External tag. Conditions and
#   exceptions leave a part of the mail unmarked, except for named senders outside.
# scan: compliance
# severity: low
# service: exchange
# platforms: [m365]
# inputs: [exchange/TransportRule]
# optional_inputs: [exchange/ExternalInOutlook, exchange/AcceptedDomain]
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

external(row) if lower(object.get(row, "FromScope", "")) == "notinorganization"

# A text that people can see.
visible(text) if regex.match(`[\p{L}\p{N}\p{P}\p{S}]`, text)

prefix(row) if visible(object.get(row, "PrependSubject", null))

# A banner above the message. A rule that gives up where it can't insert the banner leaves signed messages unmarked.
banner(row) if {
	lower(object.get(row, "ApplyHtmlDisclaimerLocation", "")) == "prepend"
	lower(object.get(row, "ApplyHtmlDisclaimerFallbackAction", "")) != "ignore"
	html := object.get(row, "ApplyHtmlDisclaimerText", null)
	is_string(html)
	shows(html)
}

# Text outside of tags, or a picture.
shows(html) if {
	pieces := split(html, "<")
	outside := [after |
		some index, piece in pieces
		parts := split(piece, ">")
		after := concat(">", array.slice(parts, min([index, 1]), count(parts)))
	]
	visible(replace(replace(concat(" ", outside), "&nbsp;", " "), "&#160;", " "))
}

shows(html) if regex.match(`(?i)<img[^>]*\ssrc=`, html)

marks(row) if prefix(row)

marks(row) if banner(row)

# The published reading: any prefix that isn't empty.
published(row) if {
	row.State == "Enabled"
	row.Mode == "Enforce"
	row.FromScope == "NotInOrganization"
	is_string(row.PrependSubject)
	row.PrependSubject != ""
}

marking := [row | some row in exchange.rows(path); published(row)] if lib.scuba

marking := [row | some row in candidates; count(gaps(row)) == 0] if not lib.scuba

# Active rules that mark external mail, possibly only a part of it.
candidates := [row |
	some row in exchange.rows(path)
	exchange.rule_active(row)
	not exchange.rule_unknown(row)
	external(row)
	marks(row)
]

# Rules that would mark external mail if what is unknown about them were right.
unsure := [row |
	some row in exchange.rows(path)
	exchange.rule_unknown(row)
	object.get(row, "FromScope", "NotInOrganization") == "NotInOrganization"
	marks(row)
]

# Why the rule marks only a part of the external mail. Named senders outside are a decision of the organization; so is an
# exempted rule.
gaps(row) := set() if accepted(row)

gaps(row) := ((conditions(row) | exceptions(row)) | scope(row)) | stopped(row) if not accepted(row)

accepted(row) if lower(exchange.name(row)) in lib.exempt("policy")

conditions(row) := {field | some field in exchange.conditions(row); not everyone(row, field)}

# A condition that all internal recipients meet.
everyone(row, field) if {
	field == "RecipientDomainIs"
	count(exchange.accepted_domains) > 0
	count(exchange.accepted_domains - lib.lower_set(row.RecipientDomainIs)) == 0
}

scope(row) := {"SentToScope" |
	value := object.get(row, "SentToScope", null)
	exchange.filled(value)
	lower(value) != "inorganization"
}

exceptions(row) := {field | some field in exchange.exceptions(row); not harmless(row, field)}

harmless(row, field) if {
	field in {"ExceptIfFrom", "ExceptIfSenderDomainIs"}
	every entry in exchange.texts(row[field]) {
		exchange.outside_sender(entry)
	}
}

# Mail to other recipients than those inside isn't this rule's.
harmless(row, field) if {
	field == "ExceptIfSentToScope"
	lower(row[field]) == "notinorganization"
}

# A subject that already has the mark.
harmless(row, field) if {
	field == "ExceptIfSubjectContainsWords"
	prefix(row)
	every text in exchange.texts(row[field]) {
		contains(lower(trim_space(text)), lower(trim_space(row.PrependSubject)))
	}
}

# Rules in front of it that end the processing of a message and let it through unmarked.
stopped(row) := {sprintf("the rule %s before it ends the processing", [exchange.clip(exchange.name(other))]) |
	some other in exchange.rows(path)
	object.get(other, "StopRuleProcessing", null) == true
	exchange.rule_active(other)
	object.get(other, "Priority", 0) < object.get(row, "Priority", 0)
	lower(object.get(other, "FromScope", "")) != "inorganization"
	not outgoing(other)
	not marks(other)
	not removes(other)
	not accepted(other)
}

outgoing(row) if lower(object.get(row, "SentToScope", "")) == "notinorganization"

removes(row) if {
	some field in {"DeleteMessage", "Quarantine", "RejectMessageReasonText", "RejectMessageEnhancedStatusCode"}
	exchange.filled(object.get(row, field, null))
}

# Outlook's own tag. The published reading accepts only the rule.
tags := [row | some row in exchange.having(tag_path, "Enabled", true)] if not lib.scuba

tags := [] if lib.scuba

# Senders without the tag that aren't named senders outside.
untagged := {entry |
	some row in tags
	some entry in exchange.texts(object.get(row, "AllowList", null))
	not exchange.outside_sender(entry)
}

tagged if {
	count(tags) > 0
	count(untagged) == 0
}

tag_known if lib.scuba

tag_known if count(exchange.having(tag_path, "Enabled", false)) > 0

tag_known if count(tags) > 0

narrow := candidates[0] if {
	not lib.scuba
	count(candidates) > 0
}

sentence := sprintf("Outlook's External tag is missing on mail from %s, so people can't tell forged mail from there from internal mail", [exchange.named(sort([entry | some entry in untagged]))]) if {
	count(untagged) > 0
} else := sprintf("The transport rule %s marks only a part of the external mail (%s), so people can't tell the rest from internal mail", [
	exchange.clip(exchange.name(narrow)), exchange.named(sort([gap | some gap in gaps(narrow)])),
]) if {
	narrow
} else := "Neither a transport rule nor Outlook's External tag marks external mail, so people can't tell it from internal mail"

mark := marking[0].PrependSubject if {
	prefix(marking[0])
} else := "a banner"

evidence := [{"rule": exchange.name(row), "gaps": sort([gap | some gap in gaps(row)])} | some row in candidates] if {
	narrow
} else := [{"setting": path, "field": "rules that mark external mail", "value": 0}]

result := lib.passed(sprintf("The transport rule %s marks external mail", [exchange.clip(exchange.name(marking[0]))]), mark) if {
	count(marking) > 0
} else := lib.passed("Outlook marks external mail with its External tag", {"ExternalInOutlook": true}) if {
	tagged
} else := lib.skipped("unreadable", sprintf("It is unknown whether the transport rule %s is active", [exchange.clip(exchange.name(unsure[0]))])) if {
	not lib.scuba
	count(unsure) > 0
} else := lib.failed(sentence, {"rules": count(exchange.rows(path))}, evidence) if {
	tag_known
	lib.has(path)
} else := lib.skipped("unreadable", "No transport rule marks external mail, and it is unknown whether Outlook's External tag is on")
