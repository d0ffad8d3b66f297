# METADATA
# id: exp.anyone_link_no_expiry
# condition: spo.anyone_link_expiry
# title: Public sharing links stay valid for too long
# description: >-
#   Links that work for anyone stay valid indefinitely or for longer than 30 days. They keep working after
#   they have served their purpose, wherever they were forwarded or posted.
# scan: exposure
# severity: high
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [sharepoint/Tenant, admin/sharepoint/settings]
# remediation:
#   - "SharePoint admin center > Policies > Sharing > Choose expiration and permissions options for Anyone links: set an expiration of at most 30 days."
#   - "Or in PowerShell: Set-SPOTenant -RequireAnonymousLinksExpireInDays 30"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
# frameworks: ["NIST.800-53.AC-3", "NIST.800-53.AC-21b"]
# params:
#   days: 30
package watchpost.checks.exp_anyone_link_no_expiry

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

days := work.spo.RequireAnonymousLinksExpireInDays

lasting := "never expire" if {
	days < 1
} else := sprintf("stay valid for %s", [lib.number_of(days, "day", "days")])

result := lib.skipped("not_applicable", "Links for anyone are not allowed") if {
	work.spo_sharing in {0, 1, 3}
} else := lib.failed(
	sprintf("Public links %s, so files stay open to outsiders long after they were shared", [lasting]),
	{"RequireAnonymousLinksExpireInDays": days},
	[{"setting": "RequireAnonymousLinksExpireInDays", "value": days, "wanted": sprintf("1 to %d", [input.params.days])}],
) if {
	work.spo_sharing == 2
	wrong
} else := lib.passed(sprintf("Public links expire after %s", [lib.number_of(days, "day", "days")]), {"RequireAnonymousLinksExpireInDays": days}) if {
	work.spo_sharing == 2
	is_number(days)
} else := work.spo_needs(["SharingCapability", "RequireAnonymousLinksExpireInDays"])

wrong if days < 1

wrong if days > input.params.days
