# METADATA
# id: pbi.sp_api
# title: Service principals limited to groups
# description: >-
#   Apps can not call the Fabric interfaces on their own, or only apps of listed groups can. Otherwise a leaked
#   secret of any app opens workspaces.
# scan: compliance
# severity: medium
# service: powerbi
# platforms: [m365]
# inputs: []
# optional_inputs: [powerbi/TenantSettings, licenses/features]
# remediation:
#   - "Fabric admin portal > Tenant settings > Developer settings > Service principals can call Fabric public APIs: switch it off, or choose \"Specific security groups\" and name the groups that need it."
# references:
#   - https://learn.microsoft.com/fabric/admin/service-admin-portal-developer
# frameworks: ["MS.POWERBI.4.1v1", "CIS.M365.9.1.12", "NIST.800-53.AC-4", "NIST.800-53.AC-6(5)"]
package watchpost.checks.pbi_sp_api

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pbi_limited("ServicePrincipalAccessPermissionAPIs", "Access of service principals to Fabric interfaces", "Every service principal can call Fabric interfaces, so a leaked secret of any app reaches data in workspaces")
