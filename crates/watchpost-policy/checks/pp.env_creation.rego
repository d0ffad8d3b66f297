# METADATA
# id: pp.env_creation
# title: Only administrators can create environments
# description: >-
#   Only administrators may create production and sandbox environments. Each environment has its own data,
#   makers and connectors, outside the policies made for existing environments.
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

result := work.pp_switch("disableEnvironmentCreationByNonAdminUsers", "Only administrators can create environments", "Everyone can create production environments, so data ends up in environments without policies")
