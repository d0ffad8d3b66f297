# METADATA
# id: teams.meeting_chat
# title: Anonymous people cannot chat
# description: >-
#   Under the global meeting policy people who are not signed in neither read nor write the meeting chat, where
#   links and files are passed around.
# scan: compliance
# severity: low
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies > Global > Meeting engagement: set \"Meeting chat\" to \"On for everyone but anonymous users\"."
#   - "Or in PowerShell: Set-CsTeamsMeetingPolicy -Identity Global -MeetingChatEnabledType EnabledExceptAnonymous"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingpolicy
# frameworks: ["CIS.M365.8.5.5", "NIST.800-53.AC-3"]
package watchpost.checks.teams_meeting_chat

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingPolicy"

policy := work.teams_global(path)

value := work.value(policy, "MeetingChatEnabledType")

result := lib.passed("People who aren't signed in take no part in meeting chats", {"MeetingChatEnabledType": value}) if {
	value in {"EnabledExceptAnonymous", "EnabledInMeetingOnlyForAllExceptAnonymous", "Disabled"}
} else := lib.failed_entities(
	sprintf("The global meeting policy opens the meeting chat to people who aren't signed in (%s), so strangers post links and read files", [work.clip(value)]),
	{"MeetingChatEnabledType": value},
	work.evidence([policy], ["MeetingChatEnabledType"]),
	work.policy_entities([policy]),
) if {
	is_string(value)
} else := work.lacks(path, ["a Global policy with MeetingChatEnabledType"])
