# METADATA
# id: exo.owa_storage
# title: No third-party storage in Outlook on the web
# description: >-
#   Outlook on the web can attach files from, and save files to, private Dropbox, Box or Google Drive
#   accounts. That bypasses every control over company files.
# scan: compliance
# severity: low
# service: exchange
# platforms: [m365]
# inputs: [exchange/OwaMailboxPolicy]
# remediation:
#   - "For every policy, in Exchange Online PowerShell: Get-OwaMailboxPolicy | Set-OwaMailboxPolicy -AdditionalStorageProvidersAvailable $false"
# references:
#   - "https://learn.microsoft.com/powershell/module/exchange/set-owamailboxpolicy"
# frameworks: ["CIS.M365.6.5.3", "CIS.M365.1.3.7", "NIST.800-53.AC-20"]
package watchpost.checks.exo_owa_storage

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_exchange as exchange

path := "exchange/OwaMailboxPolicy"

field := "AdditionalStorageProvidersAvailable"

open := [row | some row in exchange.having(path, field, true); not lower(exchange.name(row)) in lib.exempt("policy")]

policies := [exchange.name(row) | some row in open]

result := lib.failed_entities(
	sprintf("Outlook on the web lets people save files to private cloud storage (%s), so files can leave the company unnoticed", [exchange.named(policies)]),
	policies, [{"policy": text, "field": field, "value": true} | some text in policies], exchange.entities("policy", open),
) if {
	count(open) > 0
} else := lib.skipped("unreadable", exchange.missing(path, field)) if {
	count(exchange.rows(path)) == 0
} else := lib.skipped("unreadable", exchange.missing(path, field)) if {
	count(exchange.silent(path, field)) > 0
} else := lib.passed("No Outlook on the web policy offers third-party storage", {"policies": count(exchange.rows(path))})
