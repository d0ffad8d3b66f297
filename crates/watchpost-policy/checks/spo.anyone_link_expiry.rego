# METADATA
# id: spo.anyone_link_expiry
# title: Anyone links expire within 30 days
# description: >-
#   Where links that work for anyone are allowed, they must expire after at most 30 days. A link that never
#   expires keeps working long after it has served its purpose, wherever it was forwarded.
# scan: compliance
# severity: high
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [sharepoint/Tenant, admin/sharepoint/settings]
# remediation:
#   - "SharePoint admin center > Policies > Sharing > Choose expiration and permissions options for Anyone links: select \"These links must expire within this many days\" and enter 30 or less."
#   - "Or in PowerShell: Set-SPOTenant -RequireAnonymousLinksExpireInDays 30"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
#   - https://learn.microsoft.com/powershell/module/sharepoint-online/set-spotenant
# frameworks: ["MS.SHAREPOINT.3.1v1", "NIST.800-53.AC-3", "NIST.800-53.AC-21b"]
package watchpost.checks.spo_anyone_link_expiry

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

needs := ["SharingCapability", "RequireAnonymousLinksExpireInDays"]

result := lib.skipped("not_applicable", "Links for anyone are not allowed") if {
	work.spo_sharing in {0, 1, 3}
	work.spo_may_skip(needs)
} else := lib.passed(
	sprintf("Links for anyone expire after %s", [lib.number_of(days, "day", "days")]),
	{"RequireAnonymousLinksExpireInDays": days},
) if {
	work.spo_sharing == 2
	days >= 1
	days <= 30
} else := lib.failed(
	sprintf("Links for anyone %s, so a forwarded link keeps opening files to outsiders", [lasting]),
	{"SharingCapability": 2, "RequireAnonymousLinksExpireInDays": days},
	[{"setting": "RequireAnonymousLinksExpireInDays", "value": days, "wanted": "1 to 30"}],
) if {
	work.spo_sharing == 2
	is_number(days)
} else := work.spo_needs(needs)

days := work.spo.RequireAnonymousLinksExpireInDays

lasting := "never expire" if {
	days < 1
} else := sprintf("stay valid for %s", [lib.number_of(days, "day", "days")])
