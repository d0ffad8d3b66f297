# METADATA
# id: pbi.resource_key
# title: Resource key authentication is blocked
# description: >-
#   Streaming datasets must not accept data with only a key in the address. Anyone who sees such an address
#   can write to the dataset.
# scan: compliance
# severity: medium
# service: powerbi
# platforms: [m365]
# inputs: []
# optional_inputs: [powerbi/TenantSettings, licenses/features]
# remediation:
#   - "Fabric admin portal > Tenant settings > Developer settings > Block ResourceKey Authentication: turn it on."
# references:
#   - https://learn.microsoft.com/fabric/admin/service-admin-portal-developer
# frameworks: ["MS.POWERBI.5.1v1", "CIS.M365.9.1.9", "NIST.800-53.CM-7", "NIST.800-53.IA-5g"]
package watchpost.checks.pbi_resource_key

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pbi_switch("BlockResourceKeyAuthentication", true, "Resource key authentication is blocked", "Streaming datasets accept a key in an address as authentication, so anyone who sees the address can write to them")
