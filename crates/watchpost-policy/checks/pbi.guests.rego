# METADATA
# id: pbi.guests
# title: Power BI access for guests is off or limited
# description: >-
#   Guests must not be able to open Power BI, or only guests in listed groups. Otherwise every guest in the
#   tenant can browse content that was shared widely.
# scan: compliance
# severity: medium
# service: powerbi
# platforms: [m365]
# inputs: []
# optional_inputs: [powerbi/TenantSettings, licenses/features]
# remediation:
#   - "Fabric admin portal > Tenant settings > Export and sharing settings > Guest users can access Microsoft Fabric: turn it off, or choose \"Specific security groups\" and name the groups that need it."
# references:
#   - https://learn.microsoft.com/fabric/admin/service-admin-portal-export-sharing
# frameworks: ["MS.POWERBI.2.1v1", "CIS.M365.9.1.1", "NIST.800-53.CM-7", "NIST.800-53.AC-6"]
package watchpost.checks.pbi_guests

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pbi_limited("AllowGuestUserToAccessSharedContent", "Guest access to Power BI", "Every guest in the tenant can use Power BI, so reports that were shared widely reach outsiders")
