# METADATA
# id: pbi.sp_api
# title: Service principal access to Fabric APIs is off or limited
# description: >-
#   Apps must not be able to call the Fabric APIs on their own, or only apps in listed groups. Otherwise a
#   leaked secret of any app opens workspaces.
# scan: compliance
# severity: medium
# service: powerbi
# platforms: [m365]
# inputs: []
# optional_inputs: [powerbi/TenantSettings, licenses/features]
# remediation:
#   - "Fabric admin portal > Tenant settings > Developer settings > Service principals can call Fabric public APIs: turn it off, or choose \"Specific security groups\" and name the groups that need it."
# references:
#   - https://learn.microsoft.com/fabric/admin/service-admin-portal-developer
# frameworks: ["MS.POWERBI.4.1v1", "CIS.M365.9.1.12", "NIST.800-53.AC-4", "NIST.800-53.AC-6(5)"]
package watchpost.checks.pbi_sp_api

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pbi_limited("ServicePrincipalAccessPermissionAPIs", "Service principal access to Fabric APIs", "Every service principal can call Fabric APIs, so a leaked secret of any app reaches data in workspaces")
