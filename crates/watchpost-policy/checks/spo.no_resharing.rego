# METADATA
# id: spo.no_resharing
# title: Guests cannot reshare items
# description: >-
#   Guests must not be able to pass on what was shared with them: a file's owners decide who sees it.
# scan: compliance
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [admin/sharepoint/settings, sharepoint/Tenant]
# remediation:
#   - "SharePoint admin center > Policies > Sharing > More external sharing settings: clear \"Allow guests to share items they don't own\"."
#   - "Or in PowerShell: Set-SPOTenant -PreventExternalUsersFromResharing $true"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
# frameworks: ["CIS.M365.7.2.5", "NIST.800-53.AC-3"]
package watchpost.checks.spo_no_resharing

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

blocked := work.spo.PreventExternalUsersFromResharing if {
	is_boolean(work.spo.PreventExternalUsersFromResharing)
} else := work.spo_graph.isResharingByExternalUsersEnabled == false if {
	is_boolean(work.spo_graph.isResharingByExternalUsersEnabled)
}

result := lib.skipped("not_applicable", "External sharing is off in SharePoint") if {
	work.spo_sharing == 0
} else := lib.passed("Guests can't share files that they don't own", {"resharing": false}) if {
	blocked == true
} else := lib.failed(
	"Guests can share files that they don't own, so documents reach people whom no member chose",
	{"resharing": true},
	[{"setting": "resharing by guests", "value": true, "wanted": false}],
) if {
	blocked == false
} else := work.unreadable(work.spo_graph_path)
