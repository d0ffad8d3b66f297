# METADATA
# id: pbi.python_r
# title: Python and R visuals are off
# description: >-
#   Reports must not run Python or R scripts. A script in a report is its author's code, and runs with the
#   data of anyone who opens the report.
# scan: compliance
# severity: medium
# service: powerbi
# platforms: [m365]
# inputs: []
# optional_inputs: [powerbi/TenantSettings, licenses/features]
# remediation:
#   - "Fabric admin portal > Tenant settings > R and Python visuals settings > Interact with and share R and Python visuals: turn it off."
# references:
#   - https://learn.microsoft.com/fabric/admin/service-admin-portal-r-python-visuals
# frameworks: ["MS.POWERBI.6.1v1", "CIS.M365.9.1.5", "NIST.800-53.CM-7", "NIST.800-53.SI-3"]
package watchpost.checks.pbi_python_r

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pbi_switch("RScriptVisual", false, "Reports run no Python or R scripts", "Reports can run Python and R scripts, so opening a report runs its author's code")
