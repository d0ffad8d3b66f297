# METADATA
# id: spo.sharing_limited
# title: SharePoint sharing is limited to existing guests
# description: >-
#   SharePoint sites may be shared only with people in the organization and guests who are already in the
#   directory. With wider sharing, every member can let in outsiders without an administrator's knowledge.
# scan: compliance
# severity: high
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [sharepoint/Tenant, admin/sharepoint/settings]
# remediation:
#   - "SharePoint admin center > Policies > Sharing: under \"External sharing\" move the SharePoint slider to \"Existing guests\" or \"Only people in your organization\"."
#   - "Or in PowerShell: Set-SPOTenant -SharingCapability ExistingExternalUserSharingOnly"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
# frameworks: ["MS.SHAREPOINT.1.1v1", "CIS.M365.7.2.3", "NIST.800-53.AC-2", "NIST.800-53.AC-3", "NIST.800-53.IA-8"]
package watchpost.checks.spo_sharing_limited

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

result := lib.passed(
	sprintf("SharePoint allows sharing with %s", [work.reach_title(work.spo_sharing)]),
	{"SharingCapability": work.spo_sharing},
) if {
	work.spo_sharing in {0, 3}
} else := lib.failed(
	sprintf("SharePoint allows sharing with %s, so every member can let outsiders into sites", [work.reach_title(work.spo_sharing)]),
	{"SharingCapability": work.spo_sharing},
	[{"setting": "SharingCapability", "value": work.spo_sharing, "wanted": "0 or 3"}],
) if {
	work.spo_sharing in {1, 2}
} else := work.spo_needs(["SharingCapability"])
