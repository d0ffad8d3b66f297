# METADATA
# id: exp.anyone_links
# title: Public sharing links are allowed
# description: >-
#   Anyone who may share a file can create a link that opens it for anyone who has the link, without signing
#   in. No one can tell later who read the file.
# scan: exposure
# severity: high
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [sharepoint/Tenant, admin/sharepoint/settings]
# remediation:
#   - "SharePoint admin center > Policies > Sharing: move both sliders below \"Anyone\"."
#   - "Or in PowerShell: Set-SPOTenant -SharingCapability ExternalUserSharingOnly"
#   - "If public links are needed, allow them only for individual sites."
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
# frameworks: ["NIST.800-53.AC-3", "NIST.800-53.AC-22"]
package watchpost.checks.exp_anyone_links

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

reach := work.spo_sharing

result := lib.failed(
	"SharePoint allows links that work for anyone, so anyone who gets a link can read the files without signing in",
	{"SharingCapability": reach},
	[{"setting": "SharingCapability", "value": reach, "wanted": "0, 1 or 3"}],
) if {
	reach == 2
} else := lib.passed(sprintf("SharePoint allows sharing with %s, not with anyone", [work.reach_title(reach)]), {"SharingCapability": reach}) if {
	is_number(reach)
} else := work.spo_needs(["SharingCapability"])
