# METADATA
# id: legacy.ms_sharepoint_1_4
# title: Invitations are used by the invited account
# description: >-
#   A former baseline: an invitation is accepted only by the account that it was sent to, or nothing is shared
#   outside. Today this can no longer be switched.
# scan: compliance
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: [sharepoint/Tenant]
# remediation:
#   - "Nothing to do: Microsoft removed the switch, and matching is always demanded."
# references:
#   - https://learn.microsoft.com/powershell/module/sharepoint-online/set-spotenant
# frameworks: ["MS.SHAREPOINT.1.4v1"]
package watchpost.checks.legacy_ms_sharepoint_1_4

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

needs := ["SharingCapability", "RequireAcceptingAccountMatchInvitedAccount"]

matched := work.spo.RequireAcceptingAccountMatchInvitedAccount

result := lib.passed("SharePoint is shared with nobody outside", {"SharingCapability": 0}) if {
	work.spo_sharing == 0
} else := lib.passed("Only the invited account can accept an invitation", {"RequireAcceptingAccountMatchInvitedAccount": true}) if {
	matched == true
} else := lib.failed(
	"An invitation can be accepted by another account than the invited one, so it can be passed on to strangers",
	{"RequireAcceptingAccountMatchInvitedAccount": false},
	[{"setting": "RequireAcceptingAccountMatchInvitedAccount", "value": false, "wanted": true}],
) if {
	matched == false
} else := work.spo_needs(needs)
