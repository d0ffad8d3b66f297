# METADATA
# id: pp.pages
# title: Only administrators can create Power Pages sites
# description: >-
#   Only administrators may create websites with Power Pages. A carelessly configured site exposes tables of
#   business data to the whole internet.
# scan: compliance
# severity: medium
# service: powerplatform
# platforms: [m365]
# inputs: [powerplatform/TenantSettings]
# remediation:
#   - "PowerShell (the admin center has no setting for it): Set-TenantSettings -RequestBody @{ disablePortalsCreationByNonAdminUsers = $true }"
# references:
#   - https://learn.microsoft.com/power-platform/admin/list-tenantsettings
# frameworks: ["MS.POWERPLATFORM.5.1v1", "NIST.800-53.AC-6(10)"]
package watchpost.checks.pp_pages

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pp_switch("disablePortalsCreationByNonAdminUsers", "Only administrators can create Power Pages sites", "Everyone can create Power Pages sites, so business data can be exposed on the internet by mistake")
