# METADATA
# id: def.safe_attachments_spo
# title: Files in SharePoint, OneDrive and Teams are scanned
# description: >-
#   A file with malware in a shared library reaches everyone who syncs it. Safe Attachments for SharePoint,
#   OneDrive and Teams locks such files.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# inputs: [exchange/AtpPolicyForO365]
# optional_inputs: [licenses/features]
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Safe Attachments, Global settings: turn on Defender for Office 365 for SharePoint, OneDrive and Microsoft Teams."
#   - "Or in Exchange Online PowerShell: Set-AtpPolicyForO365 -EnableATPForSPOTeamsODB $true"
#   - "Prevent people from downloading such files: Set-SPOTenant -DisallowInfectedFileDownload $true"
# references:
#   - "https://learn.microsoft.com/defender-office-365/safe-attachments-for-spo-odfb-teams-configure"
# frameworks:
#   ["MS.SECURITYSUITE.1.4v1", "MS.DEFENDER.3.1v1", "MS.TEAMS.7.1v1", "MS.TEAMS.7.2v1", "CIS.M365.2.1.5",
#    "NIST.800-53.SI-3a"]
package watchpost.checks.def_safe_attachments_spo

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

found := lib.rows("exchange/AtpPolicyForO365")

on := [row | some row in found; row.EnableATPForSPOTeamsODB == true]

known := [row | some row in found; is_boolean(row.EnableATPForSPOTeamsODB)]

detected := {"EnableATPForSPOTeamsODB": [row.EnableATPForSPOTeamsODB | some row in known]}

result := defender.no_defender if {
	defender.defender_unlicensed
} else := lib.passed("Files in SharePoint, OneDrive and Teams are scanned for malware", detected) if {
	count(on) > 0
} else := lib.skipped("unreadable", "The setting EnableATPForSPOTeamsODB wasn't read") if {
	count(known) == 0
} else := lib.failed(
	"Safe Attachments is off for SharePoint, OneDrive and Teams, so files with malware stay open to everyone who has access to them",
	detected, [],
)
