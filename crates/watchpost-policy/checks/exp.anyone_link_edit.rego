# METADATA
# id: exp.anyone_link_edit
# condition: spo.anyone_link_view
# title: Public sharing links allow editing
# description: >-
#   Links that work for anyone allow people to change, upload or delete files. Anyone who finds such a link
#   can plant a file that colleagues open in good faith.
# scan: exposure
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
# frameworks: ["NIST.800-53.AC-6"]
package watchpost.checks.exp_anyone_link_edit

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

file := work.spo.FileAnonymousLinkType

folder := work.spo.FolderAnonymousLinkType

detected := {"FileAnonymousLinkType": file, "FolderAnonymousLinkType": folder}

open := concat(" and ", array.concat([name | file > 1; name := "files"], [name | folder > 1; name := "folders"]))

result := lib.skipped("not_applicable", "Links for anyone are not allowed") if {
	work.spo_sharing in {0, 1, 3}
} else := lib.failed(
	sprintf("Public links allow changes to %s, so anyone who gets a link can alter them or plant malware", [open]),
	detected,
	[{"setting": "FileAnonymousLinkType", "value": file, "wanted": 1}, {"setting": "FolderAnonymousLinkType", "value": folder, "wanted": 1}],
) if {
	work.spo_sharing == 2
	open != ""
} else := lib.passed("Public links allow only viewing", detected) if {
	work.spo_sharing == 2
	is_number(file)
	is_number(folder)
} else := work.spo_needs(["SharingCapability", "FileAnonymousLinkType", "FolderAnonymousLinkType"])
