# METADATA
# id: teams.recording_off
# title: Meeting recording is off by default
# description: >-
#   The global meeting policy must turn recording off; people who need it get a policy that allows it. A
#   recording is a copy of everything that is said and shown, stored where many people can open it.
# scan: compliance
# severity: low
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies > Global > Recording & transcription: turn off \"Meeting recording\"."
#   - "Or in PowerShell: Set-CsTeamsMeetingPolicy -Identity Global -AllowCloudRecording $false"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingpolicy
# frameworks: ["MS.TEAMS.1.6v1", "CIS.M365.8.5.9", "NIST.800-53.CM-7"]
package watchpost.checks.teams_recording_off

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingPolicy"

policy := work.teams_global(path)

value := work.value(policy, "AllowCloudRecording")

result := lib.passed("Meetings can't be recorded under the global policy", {"AllowCloudRecording": value}) if {
	value == false
} else := lib.failed_entities(
	"The global meeting policy lets people record meetings, so copies of everything that is said pile up in OneDrive",
	{"AllowCloudRecording": value},
	work.evidence([policy], ["AllowCloudRecording"]),
	work.policy_entities([policy]),
) if {
	value == true
} else := work.lacks(path, ["a Global policy with AllowCloudRecording"])
