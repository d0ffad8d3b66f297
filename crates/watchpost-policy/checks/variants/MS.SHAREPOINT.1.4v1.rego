# METADATA
# id: legacy.ms_sharepoint_1_4
# title: Only the invited account can accept an invitation
# description: >-
#   A former baseline: only the account that an invitation was sent to may accept it, or external sharing is
#   off. Microsoft has removed the setting.
# scan: compliance
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: [sharepoint/Tenant]
# remediation:
#   - "Nothing to do: Microsoft removed the setting, and the match is now always required."
# references:
#   - https://learn.microsoft.com/powershell/module/sharepoint-online/set-spotenant
# frameworks: ["MS.SHAREPOINT.1.4v1"]
package watchpost.checks.legacy_ms_sharepoint_1_4

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

needs := ["SharingCapability", "RequireAcceptingAccountMatchInvitedAccount"]

matched := work.spo.RequireAcceptingAccountMatchInvitedAccount

result := lib.passed("External sharing is off in SharePoint", {"SharingCapability": 0}) if {
	work.spo_sharing == 0
} else := lib.passed("Only the invited account can accept an invitation", {"RequireAcceptingAccountMatchInvitedAccount": true}) if {
	matched == true
} else := lib.failed(
	"An account other than the invited one can accept an invitation, so it can be passed on to outsiders",
	{"RequireAcceptingAccountMatchInvitedAccount": false},
	[{"setting": "RequireAcceptingAccountMatchInvitedAccount", "value": false, "wanted": true}],
) if {
	matched == false
} else := work.spo_needs(needs)
