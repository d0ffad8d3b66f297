# METADATA
# id: pp.trial_env
# title: Only administrators can create trial environments
# description: >-
#   Only administrators may create trial environments. These need no license, so they go unnoticed, and
#   people often try things there with real data.
# scan: compliance
# severity: low
# service: powerplatform
# platforms: [m365]
# inputs: [powerplatform/TenantSettings]
# remediation:
#   - "Power Platform admin center > Manage > Tenant settings > Trial environment assignments: choose \"Only specific admins\"."
#   - "Or in PowerShell: Set-TenantSettings -RequestBody @{ disableTrialEnvironmentCreationByNonAdminUsers = $true }"
# references:
#   - https://learn.microsoft.com/power-platform/admin/control-environment-creation
# frameworks: ["MS.POWERPLATFORM.1.2v1", "NIST.800-53.AC-6(10)"]
package watchpost.checks.pp_trial_env

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pp_switch("disableTrialEnvironmentCreationByNonAdminUsers", "Only administrators can create trial environments", "Everyone can create trial environments, so real data ends up in environments that no one oversees")
