# METADATA
# id: pbi.publish_to_web
# title: Publish to web is off
# description: >-
#   No one may publish a report to the web. Such a report has a public address without sign-in, and search
#   engines find it.
# scan: compliance
# severity: high
# service: powerbi
# platforms: [m365]
# inputs: []
# optional_inputs: [powerbi/TenantSettings, licenses/features]
# remediation:
#   - "Fabric admin portal > Tenant settings > Export and sharing settings > Publish to web: turn it off."
# references:
#   - https://learn.microsoft.com/fabric/admin/service-admin-portal-export-sharing
# frameworks: ["MS.POWERBI.1.1v1", "CIS.M365.9.1.4", "NIST.800-53.CM-7", "NIST.800-53.SC-7(10)(a)"]
package watchpost.checks.pbi_publish_to_web

import rego.v1

import data.watchpost.checklib_workloads as work

result := work.pbi_switch("PublishToWeb", false, "Reports can't be published to the web", "Reports can be published to the web, so anyone can read company data without signing in")
