# METADATA
# id: exo.no_auto_forward
# title: No automatic forwarding to remote domains
# description: >-
#   Automatic forwarding carries mail out of the company unnoticed, and attackers set it up right after they
#   take over a mailbox. Forwarding may be allowed only to agreed domains, never to all of them.
# scan: compliance
# severity: high
# service: exchange
# platforms: [m365]
# inputs: [exchange/RemoteDomain]
# remediation:
#   - "List what is allowed: Get-RemoteDomain | Format-Table Name,DomainName,AutoForwardEnabled"
#   - "In Exchange Online PowerShell, for each of them: Set-RemoteDomain -Identity \"<name>\" -AutoForwardEnabled $false"
#   - "If a partner needs it, keep a separate remote domain for that partner, and exempt the domain in Watchpost with an owner and an end date."
# references:
#   - "https://learn.microsoft.com/powershell/module/exchange/set-remotedomain"
# frameworks: ["MS.EXO.1.1v2", "CIS.M365.6.2.1", "NIST.800-53.AC-4"]
package watchpost.checks.exo_no_auto_forward

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_exchange as exchange

path := "exchange/RemoteDomain"

open := [row | some row in exchange.rows(path); on(row)]

on(row) if object.get(row, "AutoForwardEnabled", null) == true

# Some exports write switches as words.
on(row) if lower(object.get(row, "AutoForwardEnabled", "")) == "true"

unknown(row) if not lower(sprintf("%v", [object.get(row, "AutoForwardEnabled", null)])) in {"true", "false"}

domain(row) := trim_space(row.DomainName) if {
	is_string(object.get(row, "DomainName", null))
} else := exchange.name(row)

# `*` stands for every domain and `*.com` for very many, so they can't be exempted.
allowed(row) if {
	contains(trim_prefix(domain(row), "*."), ".")
	lower(domain(row)) in lib.exempt("domain")
}

failing := [row | some row in open; not allowed(row)]

names := sort([domain(row) | some row in failing])

kept := sort([domain(row) | some row in open; allowed(row)])

sentence := sprintf("Mail can be forwarded automatically to every outside domain (remote domain *), so a compromised mailbox can leak all its mail unnoticed%s", [others]) if "*" in names

sentence := sprintf("Mail can be forwarded automatically to %s, so a compromised mailbox can leak all its mail there unnoticed", [exchange.named(names)]) if not "*" in names

others := sprintf("; %s also allowed", [exchange.counted(specific, "domain is", "domains are")]) if count(specific) > 0

others := "" if count(specific) == 0

specific := [text | some text in names; text != "*"]

entities := [{"type": "domain", "id": lower(text), "name": text} | some text in names]

evidence := [{"domain": text, "field": "AutoForwardEnabled", "value": true} | some text in names]

good := "No remote domain allows automatic forwarding" if count(kept) == 0

good := sprintf("Automatic forwarding is allowed only to exempted domains: %s", [exchange.named(kept)]) if count(kept) > 0

result := lib.failed_entities(sentence, names, evidence, entities) if {
	count(failing) > 0
} else := lib.passed(good, kept) if {
	lib.scuba
	lib.has(path)
} else := lib.skipped("unreadable", "No remote domain was listed, although every tenant has one") if {
	count(exchange.rows(path)) == 0
} else := lib.skipped("unreadable", exchange.missing(path, "AutoForwardEnabled")) if {
	count([row | some row in exchange.rows(path); unknown(row)]) > 0
} else := lib.passed(good, kept)
