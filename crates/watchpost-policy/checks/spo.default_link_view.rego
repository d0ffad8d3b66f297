# METADATA
# id: spo.default_link_view
# title: Default link permission is view
# description: >-
#   A new sharing link must let people read, not change. People who need to edit can be given more access
#   deliberately; with a wider default, readers can change or delete documents.
# scan: compliance
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: [sharepoint/Tenant]
# remediation:
#   - "SharePoint admin center > Policies > Sharing > File and folder links: under \"permission that's selected by default\" choose \"View\"."
#   - "Or in PowerShell: Set-SPOTenant -DefaultLinkPermission View"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
#   - https://learn.microsoft.com/powershell/module/sharepoint-online/set-spotenant
# frameworks: ["MS.SHAREPOINT.2.2v1", "CIS.M365.7.2.11", "NIST.800-53.AC-6"]
package watchpost.checks.spo_default_link_view

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

permission := work.spo.DefaultLinkPermission

result := lib.passed("New sharing links allow only viewing", {"DefaultLinkPermission": permission}) if {
	permission == 1
} else := lib.failed(
	sprintf("New sharing links let people %s by default, so readers can change or delete documents", [object.get({2: "edit"}, permission, "do more than view")]),
	{"DefaultLinkPermission": permission},
	[{"setting": "DefaultLinkPermission", "value": permission, "wanted": 1}],
) if {
	is_number(permission)
} else := work.spo_needs(["DefaultLinkPermission"])
