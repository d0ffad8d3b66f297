# METADATA
# id: exo.calendar_not_shared
# title: Calendar details are not shared with everyone
# description: >-
#   A sharing policy for all domains, or for anonymous links, lets people publish their calendars to anyone
#   on the internet. Calendars reveal who meets whom, where and about what.
# scan: compliance
# severity: medium
# service: exchange
# platforms: [m365]
# inputs: [exchange/SharingPolicy]
# remediation:
#   - "List what is shared: Get-SharingPolicy | Format-List Name,Enabled,Domains"
#   - "Remove the entry for all domains, for example: Set-SharingPolicy -Identity \"Default Sharing Policy\" -Domains @{Remove=\"*:CalendarSharingFreeBusyDetail\"}"
#   - "Instead, add each partner that needs it: Set-SharingPolicy -Identity <policy> -Domains @{Add=\"partner.example:CalendarSharingFreeBusySimple\"}"
# references:
#   - "https://learn.microsoft.com/exchange/sharing/sharing-policies/sharing-policies"
# frameworks: ["MS.EXO.6.2v1", "CIS.M365.1.3.3", "NIST.800-53.AC-3", "NIST.800-53.SC-7(10)(a)"]
package watchpost.checks.exo_calendar_not_shared

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_exchange as exchange

path := "exchange/SharingPolicy"

# A disabled policy shares nothing. The published reading judges it anyway.
counts(_) if lib.scuba

counts(row) if object.get(row, "Enabled", true) != false

open_entry(text) if {
	contains(text, "*")
	contains(text, "Calendar")
}

# A link that anyone can open without signing in.
open_entry(text) if {
	not lib.scuba
	startswith(lower(trim_space(text)), "anonymous:")
	contains(text, "Calendar")
}

wide := [{"row": row, "entries": entries} |
	some row in exchange.rows(path)
	counts(row)
	entries := [text |
		some entry in exchange.texts(object.get(row, "Domains", null))
		some text in split(entry, ",")
		open_entry(text)
	]
	count(entries) > 0
]

policies := [exchange.name(item.row) | some item in wide]

sentence := sprintf("%s shares calendars with everyone (%s), so outsiders can see them", [exchange.named(policies), exchange.clip(wide[0].entries[0])]) if count(wide) == 1

sentence := sprintf("%d sharing policies share calendars with everyone (%s), so outsiders can see them", [count(wide), exchange.named(policies)]) if count(wide) > 1

evidence := [{"policy": exchange.name(item.row), "field": "Domains", "value": item.entries} | some item in wide]

result := lib.failed_entities(sentence, policies, evidence, exchange.entities("policy", [item.row | some item in wide])) if {
	count(wide) > 0
} else := lib.passed("No sharing policy shares calendars with everyone", exchange.counted(exchange.rows(path), "policy", "policies")) if {
	lib.scuba
	lib.has(path)
} else := lib.skipped("unreadable", exchange.missing(path, "Domains")) if {
	unknown
} else := lib.passed("No sharing policy shares calendars with everyone", exchange.counted(exchange.rows(path), "policy", "policies"))

# Null is an empty list here; only an absent field is unknown.
unknown if {
	some row in exchange.rows(path)
	not "Domains" in object.keys(row)
}
