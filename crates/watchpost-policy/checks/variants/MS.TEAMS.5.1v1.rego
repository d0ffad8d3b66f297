# METADATA
# id: legacy.ms_teams_5_1v1
# title: App policies restrict Microsoft apps
# description: >-
#   A former baseline: app permission policies alone control Microsoft apps. The tenant-wide settings did not
#   exist.
# scan: compliance
# variant_of: teams.ms_apps
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/AppPermissionPolicy]
# remediation:
#   - "Teams admin center > Teams apps > Permission policies: allow specific apps and block all others."
# references:
#   - https://learn.microsoft.com/microsoftteams/teams-app-permission-policies
# frameworks: ["MS.TEAMS.5.1v1"]
package watchpost.checks.legacy_ms_teams_5_1v1

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.app_policies_verdict("DefaultCatalogAppsType", "Microsoft apps")
