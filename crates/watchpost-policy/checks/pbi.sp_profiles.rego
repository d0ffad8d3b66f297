# METADATA
# id: pbi.sp_profiles
# title: Service principal profiles are off or limited
# description: >-
#   Apps must not be able to create profiles to act under, or only apps in listed groups. Each profile is
#   another identity that no directory shows.
# scan: compliance
# severity: low
# service: powerbi
# platforms: [m365]
# inputs: []
# optional_inputs: [powerbi/TenantSettings, licenses/features]
# remediation:
#   - "Fabric admin portal > Tenant settings > Developer settings > Service principals can create and use profiles: turn it off, or choose \"Specific security groups\" and name the groups that need it."
# references:
#   - https://learn.microsoft.com/fabric/admin/service-admin-portal-developer
# frameworks: ["MS.POWERBI.4.2v1", "CIS.M365.9.1.11", "NIST.800-53.AC-4", "NIST.800-53.AC-6(5)"]
package watchpost.checks.pbi_sp_profiles

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pbi_limited("AllowServicePrincipalsCreateAndUseProfiles", "Use of service principal profiles", "Every service principal can create profiles to act under, so identities that no directory shows get access")
