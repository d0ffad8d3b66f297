# METADATA
# id: teams.meeting_chat
# title: Anonymous users cannot use the meeting chat
# description: >-
#   Under the global meeting policy, people who are not signed in must be able neither to read nor to write
#   in the meeting chat, where links and files are exchanged.
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

result := lib.passed("Anonymous users can't use meeting chats", {"MeetingChatEnabledType": value}) if {
	value in {"EnabledExceptAnonymous", "EnabledInMeetingOnlyForAllExceptAnonymous", "Disabled"}
} else := lib.failed_entities(
	sprintf("The global meeting policy opens the meeting chat to anonymous users (%s), so outsiders can post links and read files", [work.clip(value)]),
	{"MeetingChatEnabledType": value},
	work.evidence([policy], ["MeetingChatEnabledType"]),
	work.policy_entities([policy]),
) if {
	is_string(value)
} else := work.lacks(path, ["a Global policy with MeetingChatEnabledType"])
