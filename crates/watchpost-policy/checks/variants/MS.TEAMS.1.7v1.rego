# METADATA
# id: legacy.ms_teams_1_7v1
# title: Event recording is left to the organizer
# description: >-
#   A former baseline: the global live events policy must leave recording to the organizer. The mode that
#   never records was not accepted.
# scan: compliance
# variant_of: teams.event_recording
# severity: low
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingBroadcastPolicy]
# remediation:
#   - "Set-CsTeamsMeetingBroadcastPolicy -Identity Global -BroadcastRecordingMode UserOverride"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingbroadcastpolicy
# frameworks: ["MS.TEAMS.1.7v1"]
package watchpost.checks.legacy_ms_teams_1_7v1

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingBroadcastPolicy"

policy := work.teams_global(path)

mode := policy.BroadcastRecordingMode

result := lib.passed("Organizers decide whether an event is recorded", {"BroadcastRecordingMode": mode}) if {
	mode == "UserOverride"
} else := lib.failed_entities(
	sprintf("The global live events policy has the recording mode %s instead of leaving the decision to the organizer", [mode]),
	{"BroadcastRecordingMode": mode},
	work.evidence([policy], ["BroadcastRecordingMode"]),
	work.policy_entities([policy]),
) if {
	is_string(mode)
} else := work.lacks(path, ["a Global policy with BroadcastRecordingMode"])
