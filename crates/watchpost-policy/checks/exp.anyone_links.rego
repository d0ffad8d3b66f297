# METADATA
# id: exp.anyone_links
# title: Public sharing links are possible
# description: >-
#   Whoever may share a file can make a link that opens it for anybody who has the link, without signing in.
#   Nobody can tell afterwards who read it.
# scan: exposure
# severity: high
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [sharepoint/Tenant, admin/sharepoint/settings]
# remediation:
#   - "SharePoint admin center > Policies > Sharing: move both sliders below \"Anyone\"."
#   - "Or in PowerShell: Set-SPOTenant -SharingCapability ExternalUserSharingOnly"
#   - "Where public links are needed, allow them for single sites only."
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
# frameworks: ["NIST.800-53.AC-3", "NIST.800-53.AC-22"]
package watchpost.checks.exp_anyone_links

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

reach := work.spo_sharing

result := lib.failed(
	"SharePoint lets people make links that work for anyone, so files can be read without signing in by whoever gets the link",
	{"SharingCapability": reach},
	[{"setting": "SharingCapability", "value": reach, "wanted": "0, 1 or 3"}],
) if {
	reach == 2
} else := lib.passed(sprintf("SharePoint shares with %s, not with anyone", [work.reach_title(reach)]), {"SharingCapability": reach}) if {
	is_number(reach)
} else := work.spo_needs(["SharingCapability"])
