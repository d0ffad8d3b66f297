# METADATA
# id: teams.custom_apps
# title: Custom Teams apps require approval
# description: >-
#   Apps that employees create or upload may be used in Teams only after an administrator has allowed them.
#   No one else has reviewed their code.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: []
# optional_inputs: [teams/AppPermissionPolicy, teams/TenantAppSettings]
# remediation:
#   - "Teams admin center > Teams apps > Manage apps > Actions > Org-wide app settings: turn off \"Custom apps\", then allow the approved apps individually."
#   - "In tenants that still have them: Teams apps > Permission policies: set \"custom apps\" to \"Allow specific apps and block all others\" in each policy."
# references:
#   - https://learn.microsoft.com/microsoftteams/manage-apps
# frameworks: ["MS.TEAMS.5.3v2", "CIS.M365.8.4.1", "NIST.800-53.CM-11"]
package watchpost.checks.teams_custom_apps

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.app_verdict("PrivateApp", "PrivateCatalogAppsType", "custom apps")
