# METADATA
# id: pp.env_creation
# title: Only admins create environments
# description: >-
#   Production and sandbox environments are created by administrators alone. Each environment is a new place
#   with its own data, makers and connectors, outside the policies made for the known ones.
# scan: compliance
# severity: medium
# service: powerplatform
# platforms: [m365]
# inputs: [powerplatform/TenantSettings]
# remediation:
#   - "Power Platform admin center > Manage > Tenant settings > Production environment assignments: choose \"Only specific admins\"."
#   - "Or in PowerShell: Set-TenantSettings -RequestBody @{ disableEnvironmentCreationByNonAdminUsers = $true }"
# references:
#   - https://learn.microsoft.com/power-platform/admin/control-environment-creation
# frameworks: ["MS.POWERPLATFORM.1.1v1", "NIST.800-53.AC-6(10)"]
package watchpost.checks.pp_env_creation

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pp_switch("disableEnvironmentCreationByNonAdminUsers", "Only administrators create environments", "Everybody may create production environments, so data ends up in places that no policy was made for")
