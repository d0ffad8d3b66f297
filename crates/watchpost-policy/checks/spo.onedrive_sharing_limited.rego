# METADATA
# id: spo.onedrive_sharing_limited
# title: OneDrive sharing is limited to existing guests
# description: >-
#   OneDrive files may be shared only with people in the organization and guests who are already in the
#   directory. With wider sharing, every member can share their own files with outsiders.
# scan: compliance
# severity: high
# service: sharepoint
# platforms: [m365]
# inputs: [sharepoint/Tenant]
# remediation:
#   - "SharePoint admin center > Policies > Sharing: under \"External sharing\" move the OneDrive slider to \"Existing guests\" or \"Only people in your organization\"."
#   - "Or in PowerShell: Set-SPOTenant -OneDriveSharingCapability ExistingExternalUserSharingOnly"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
# frameworks: ["MS.SHAREPOINT.1.2v1", "CIS.M365.7.2.4", "NIST.800-53.AC-2", "NIST.800-53.AC-3", "NIST.800-53.IA-8"]
package watchpost.checks.spo_onedrive_sharing_limited

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

reach := work.reach(work.spo.ODBSharingCapability)

result := lib.passed(
	sprintf("OneDrive allows sharing with %s", [work.reach_title(reach)]),
	{"ODBSharingCapability": reach},
) if {
	reach in {0, 3}
} else := lib.failed(
	sprintf("OneDrive allows sharing with %s, so members can give their files to outsiders", [work.reach_title(reach)]),
	{"ODBSharingCapability": reach},
	[{"setting": "ODBSharingCapability", "value": reach, "wanted": "0 or 3"}],
) if {
	reach in {1, 2}
} else := work.spo_needs(["ODBSharingCapability"])
