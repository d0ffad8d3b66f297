# METADATA
# id: teams.third_party_apps
# title: Third-party Teams apps require approval
# description: >-
#   Third-party apps may be used in Teams only after an administrator has allowed them. An app sees the
#   messages, files and people of every team that adds it.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: []
# optional_inputs: [teams/AppPermissionPolicy, teams/TenantAppSettings]
# remediation:
#   - "Teams admin center > Teams apps > Manage apps > Actions > Org-wide app settings: turn off \"Third-party apps\", then allow the approved apps individually."
#   - "In tenants that still have them: Teams apps > Permission policies: set \"third-party apps\" to \"Allow specific apps and block all others\" in each policy."
# references:
#   - https://learn.microsoft.com/microsoftteams/manage-apps
# frameworks: ["MS.TEAMS.5.2v2", "CIS.M365.8.4.1", "NIST.800-53.CM-11"]
package watchpost.checks.teams_third_party_apps

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.app_verdict("GlobalApp", "GlobalCatalogAppsType", "third-party apps")
