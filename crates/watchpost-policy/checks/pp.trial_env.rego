# METADATA
# id: pp.trial_env
# title: Only admins create trial environments
# description: >-
#   Trial environments are created by administrators alone. They need no licence, so nobody notices them, and
#   what is tried there is often real data.
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

result := work.pp_switch("disableTrialEnvironmentCreationByNonAdminUsers", "Only administrators create trial environments", "Everybody may create trial environments, so real data is tried out where nobody looks")
