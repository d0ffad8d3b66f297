# METADATA
# id: spo.unmanaged_sync
# title: OneDrive sync only on managed devices
# description: >-
#   The OneDrive app must sync files only to computers that are joined to the company's domains. On a private
#   computer, the copies remain when a person leaves.
# scan: compliance
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: [admin/sharepoint/settings]
# remediation:
#   - "SharePoint admin center > Settings > OneDrive Sync: select \"Allow syncing only on computers joined to specific domains\" and enter the domains' GUIDs."
#   - "Or in PowerShell: Set-SPOTenantSyncClientRestriction -Enable -DomainGuids \"<guid>\""
# references:
#   - https://learn.microsoft.com/sharepoint/allow-syncing-only-on-specific-domains
# frameworks: ["NIST.800-53.AC-19"]
package watchpost.checks.spo_unmanaged_sync

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

restricted := work.spo_graph.isUnmanagedSyncAppForTenantRestricted

result := lib.passed("Files are synced only to computers in listed domains", {"isUnmanagedSyncAppForTenantRestricted": true}) if {
	restricted == true
} else := lib.failed(
	"OneDrive syncs files to any computer, so private devices keep copies after people leave",
	{"isUnmanagedSyncAppForTenantRestricted": false},
	[{"setting": "isUnmanagedSyncAppForTenantRestricted", "value": false, "wanted": true}],
) if {
	restricted == false
} else := work.lacks(work.spo_graph_path, ["isUnmanagedSyncAppForTenantRestricted"])
