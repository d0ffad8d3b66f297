# METADATA
# id: def.zap_teams
# title: Zero-hour auto purge is on for Teams
# description: >-
#   Zero-hour auto purge (ZAP) removes chat messages that turn out to be malicious after they were delivered.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# inputs: [exchange/TeamsProtectionPolicy]
# optional_inputs: [licenses/features]
# remediation:
#   - "Defender portal, Settings, Email & collaboration, Microsoft Teams protection: turn on zero-hour auto purge."
#   - "Or in Exchange Online PowerShell: Set-TeamsProtectionPolicy -Identity \"Teams Protection Policy\" -ZapEnabled $true"
# references:
#   - "https://learn.microsoft.com/defender-office-365/mdo-support-teams-about"
# frameworks: ["CIS.M365.2.4.4", "NIST.800-53.SI-3"]
package watchpost.checks.def_zap_teams

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

found := [row.ZapEnabled | some row in lib.rows("exchange/TeamsProtectionPolicy"); is_boolean(row.ZapEnabled)]

detected := {"ZapEnabled": found}

result := defender.no_defender if {
	defender.defender_unlicensed
} else := lib.skipped("unreadable", "The setting ZapEnabled of the Teams protection policy wasn't read") if {
	count(found) == 0
} else := lib.failed("Zero-hour auto purge is off for Teams, so malicious messages that are detected late stay in chats", detected, []) if {
	false in found
} else := lib.passed("Malicious Teams messages that are detected late are removed", detected)
