# METADATA
# id: spo.anyone_link_view
# title: Anyone links are view-only
# description: >-
#   Where links that work for anyone are allowed, they must only let people read files and folders. Otherwise
#   unknown people can change, delete or upload files.
# scan: compliance
# severity: high
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [sharepoint/Tenant, admin/sharepoint/settings]
# remediation:
#   - "SharePoint admin center > Policies > Sharing > Choose expiration and permissions options for Anyone links: set files and folders to \"View\"."
#   - "Or in PowerShell: Set-SPOTenant -FileAnonymousLinkType View -FolderAnonymousLinkType View"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
#   - https://learn.microsoft.com/powershell/module/sharepoint-online/set-spotenant
# frameworks: ["MS.SHAREPOINT.3.2v1", "NIST.800-53.AC-6"]
package watchpost.checks.spo_anyone_link_view

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

needs := ["SharingCapability", "FileAnonymousLinkType", "FolderAnonymousLinkType"]

result := lib.skipped("not_applicable", "Links for anyone are not allowed") if {
	work.spo_sharing in {0, 1, 3}
	work.spo_may_skip(needs)
} else := lib.passed("Links for anyone allow only viewing", detected) if {
	work.spo_sharing == 2
	file == 1
	folder == 1
} else := lib.failed(
	sprintf("Links for anyone let people do more than view %s, so unknown people can change them", [work_on]),
	detected,
	[{"setting": "FileAnonymousLinkType", "value": file, "wanted": 1}, {"setting": "FolderAnonymousLinkType", "value": folder, "wanted": 1}],
) if {
	work.spo_sharing == 2
	is_number(file)
	is_number(folder)
} else := work.spo_needs(needs)

file := work.spo.FileAnonymousLinkType

folder := work.spo.FolderAnonymousLinkType

detected := {"FileAnonymousLinkType": file, "FolderAnonymousLinkType": folder}

work_on := concat(" and ", array.concat([name | file != 1; name := "files"], [name | folder != 1; name := "folders"]))
