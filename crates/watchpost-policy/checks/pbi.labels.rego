# METADATA
# id: pbi.labels
# title: Sensitivity labels are on
# description: >-
#   People must be able to apply sensitivity labels to reports and datasets, so that protection and data loss
#   prevention follow the data when it is exported.
# scan: compliance
# severity: low
# service: powerbi
# platforms: [m365]
# inputs: []
# optional_inputs: [powerbi/TenantSettings, licenses/features]
# remediation:
#   - "Fabric admin portal > Tenant settings > Information protection > Allow users to apply sensitivity labels for content: turn it on."
# references:
#   - https://learn.microsoft.com/fabric/admin/service-admin-portal-information-protection
# frameworks: ["MS.POWERBI.7.1v1", "CIS.M365.9.1.6", "NIST.800-53.AC-21b", "NIST.800-53.SC-7(10)(a)"]
package watchpost.checks.pbi_labels

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pbi_switch("EimInformationProtectionEdit", true, "Reports and datasets can carry sensitivity labels", "Reports and datasets can't carry sensitivity labels, so exported data leaves without protection")
