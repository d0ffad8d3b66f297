# METADATA
# id: pp.isolation_allowlist
# title: Tenant isolation allows only necessary tenants
# description: >-
#   Where tenant isolation is on, its rules must allow only tenants that the company works with, each only in
#   the direction that is needed.
# scan: compliance
# severity: medium
# service: powerplatform
# platforms: [m365]
# inputs: []
# manual: true
# remediation:
#   - "Power Platform admin center > Security > Identity and access > Tenant isolation: review the rules and remove tenants without a current purpose."
# references:
#   - https://learn.microsoft.com/power-platform/admin/cross-tenant-restrictions
# frameworks: ["MS.POWERPLATFORM.3.2v1"]
package watchpost.checks.pp_isolation_allowlist

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Compare the rules of tenant isolation with the tenants that the company works with")
