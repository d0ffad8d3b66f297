# METADATA
# id: pbi.invites
# title: Power BI guest invitations are off or limited
# description: >-
#   No one, or only people in listed groups, may invite new guests by sharing a report.
# scan: compliance
# severity: medium
# service: powerbi
# platforms: [m365]
# inputs: []
# optional_inputs: [powerbi/TenantSettings, licenses/features]
# remediation:
#   - "Fabric admin portal > Tenant settings > Export and sharing settings > Users can invite guest users to collaborate through item sharing and permissions: turn it off, or choose \"Specific security groups\" and name the groups that need it."
# references:
#   - https://learn.microsoft.com/fabric/admin/service-admin-portal-export-sharing
# frameworks: ["MS.POWERBI.3.1v1", "CIS.M365.9.1.2", "NIST.800-53.CM-7", "NIST.800-53.AC-6"]
package watchpost.checks.pbi_invites

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pbi_limited("ExternalSharingV2", "Inviting guests by sharing reports", "Everyone can invite outsiders by sharing a report, so guests get access without a decision")
