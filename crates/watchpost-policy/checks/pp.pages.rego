# METADATA
# id: pp.pages
# title: Only admins create Power Pages
# description: >-
#   Websites with Power Pages are created by administrators alone. A page that is set up carelessly shows tables
#   of business data to the whole internet.
# scan: compliance
# severity: medium
# service: powerplatform
# platforms: [m365]
# inputs: [powerplatform/TenantSettings]
# remediation:
#   - "PowerShell (there is no page for it): Set-TenantSettings -RequestBody @{ disablePortalsCreationByNonAdminUsers = $true }"
# references:
#   - https://learn.microsoft.com/power-platform/admin/list-tenantsettings
# frameworks: ["MS.POWERPLATFORM.5.1v1", "NIST.800-53.AC-6(10)"]
package watchpost.checks.pp_pages

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pp_switch("disablePortalsCreationByNonAdminUsers", "Only administrators create Power Pages sites", "Everybody may create Power Pages sites, so business data can be put on the internet by mistake")
