# METADATA
# id: teams.ms_apps
# title: Microsoft Teams apps require approval
# description: >-
#   Microsoft's apps may be used in Teams only after an administrator has allowed them, so that each new app
#   is reviewed before it reads messages and files.
# scan: compliance
# severity: low
# service: teams
# platforms: [m365]
# inputs: []
# optional_inputs: [teams/AppPermissionPolicy, teams/TenantAppSettings]
# remediation:
#   - "Teams admin center > Teams apps > Manage apps > Actions > Org-wide app settings: turn off \"Let users install and use available apps by default (Microsoft apps)\", then allow the approved apps individually."
#   - "In tenants that still have them: Teams apps > Permission policies: set \"Microsoft apps\" to \"Allow specific apps and block all others\" in each policy."
# references:
#   - https://learn.microsoft.com/microsoftteams/manage-apps
# frameworks: ["MS.TEAMS.5.1v2", "CIS.M365.8.4.1", "NIST.800-53.CM-11"]
package watchpost.checks.teams_ms_apps

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.app_verdict("DefaultApp", "DefaultCatalogAppsType", "Microsoft apps")
