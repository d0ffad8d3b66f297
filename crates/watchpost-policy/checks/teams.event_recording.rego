# METADATA
# id: teams.event_recording
# title: Events are not always recorded
# description: >-
#   The global live events policy must leave recording to the organizer or forbid it, not record every event.
# scan: compliance
# severity: low
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingBroadcastPolicy]
# remediation:
#   - "Teams admin center > Meetings > Live events policies > Global: set \"Record an event\" to \"Organizer can record\" or \"Never record\"."
#   - "Or in PowerShell: Set-CsTeamsMeetingBroadcastPolicy -Identity Global -BroadcastRecordingMode UserOverride"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingbroadcastpolicy
# frameworks: ["MS.TEAMS.1.7v2", "NIST.800-53.AC-21a"]
package watchpost.checks.teams_event_recording

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingBroadcastPolicy"

policy := work.teams_global(path)

mode := policy.BroadcastRecordingMode

# The strict reading accepts every value but one, including null.
right if {
	is_string(mode)
	mode != "AlwaysEnabled"
}

right if {
	lib.scuba
	is_null(mode)
}

result := lib.passed("Live events aren't always recorded", {"BroadcastRecordingMode": mode}) if {
	right
} else := lib.failed_entities(
	"The global live events policy records every event, so recordings exist that no organizer asked for",
	{"BroadcastRecordingMode": mode},
	work.evidence([policy], ["BroadcastRecordingMode"]),
	work.policy_entities([policy]),
) if {
	mode == "AlwaysEnabled"
} else := work.lacks(path, ["a Global policy with BroadcastRecordingMode"])
