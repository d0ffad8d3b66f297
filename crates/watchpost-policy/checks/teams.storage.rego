# METADATA
# id: teams.storage
# title: No third-party file storage in Teams
# description: >-
#   The Files tab of teams must offer none of the five third-party storage services (Dropbox, Box, Google
#   Drive, ShareFile, Egnyte). Files stored there are outside the company's search, retention and data loss
#   prevention.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/ClientConfiguration]
# remediation:
#   - "Teams admin center > Teams > Teams settings > Files: turn off every storage service that the company doesn't use."
#   - "Or in PowerShell: Set-CsTeamsClientConfiguration -Identity Global -AllowDropBox $false -AllowBox $false -AllowGoogleDrive $false -AllowShareFile $false -AllowEgnyte $false"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsclientconfiguration
# frameworks: ["CIS.M365.8.1.1", "NIST.800-53.AC-20"]
package watchpost.checks.teams_storage

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/ClientConfiguration"

services := {"AllowDropBox": "Dropbox", "AllowBox": "Box", "AllowGoogleDrive": "Google Drive", "AllowShareFile": "ShareFile", "AllowEgnyte": "Egnyte"}

rows := work.teams_rows(path)

allowed := sort({title |
	some row in rows
	some field, title in services
	row[field] == true
})

bad := [row |
	some row in rows
	some field, _ in services
	row[field] == true
]

known if {
	count(rows) > 0
	count([field |
		some row in rows
		some field, _ in services
		not is_boolean(object.get(row, field, null))
	]) == 0
}

result := lib.failed_entities(
	sprintf("Teams offers third-party file storage (%s), so documents end up outside the company's control", [concat(", ", allowed)]),
	{"allowed": allowed},
	work.evidence(bad, [field | some field, _ in services]),
	work.policy_entities(bad),
) if {
	count(allowed) > 0
} else := lib.passed("Teams offers no third-party file storage", {"allowed": []}) if {
	known
} else := work.lacks(path, [field | some field, _ in services])
