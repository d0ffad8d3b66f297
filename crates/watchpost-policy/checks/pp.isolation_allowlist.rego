# METADATA
# id: pp.isolation_allowlist
# title: The list of tenants let through is short
# description: >-
#   Where tenant isolation is on, only tenants that the company works with are on its list, each in the
#   direction that is needed.
# scan: compliance
# severity: medium
# service: powerplatform
# platforms: [m365]
# inputs: []
# manual: true
# remediation:
#   - "Power Platform admin center > Security > Identity and access > Tenant isolation: go through the rules and remove tenants without a current purpose."
# references:
#   - https://learn.microsoft.com/power-platform/admin/cross-tenant-restrictions
# frameworks: ["MS.POWERPLATFORM.3.2v1"]
package watchpost.checks.pp_isolation_allowlist

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "A person decides which tenants the company works with: compare them with the rules of tenant isolation")
