# METADATA
# id: spo.modern_auth
# title: Legacy authentication to SharePoint is off
# description: >-
#   Old applications that send a password with every request must not be able to sign in to SharePoint. They
#   support neither a second factor nor Conditional Access.
# scan: compliance
# severity: high
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [admin/sharepoint/settings, sharepoint/Tenant]
# remediation:
#   - "SharePoint admin center > Policies > Access control > Apps that don't use modern authentication: choose \"Block access\"."
#   - "Or in PowerShell: Set-SPOTenant -LegacyAuthProtocolsEnabled $false"
# references:
#   - https://learn.microsoft.com/sharepoint/control-access-from-unmanaged-devices
#   - https://learn.microsoft.com/powershell/module/sharepoint-online/set-spotenant
# frameworks: ["CIS.M365.7.2.1", "NIST.800-53.CM-7"]
package watchpost.checks.spo_modern_auth

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

enabled := work.spo.LegacyAuthProtocolsEnabled if {
	is_boolean(work.spo.LegacyAuthProtocolsEnabled)
} else := work.spo_graph.isLegacyAuthProtocolsEnabled if {
	is_boolean(work.spo_graph.isLegacyAuthProtocolsEnabled)
}

result := lib.passed("SharePoint rejects apps without modern authentication", {"LegacyAuthProtocolsEnabled": false}) if {
	enabled == false
} else := lib.failed(
	"SharePoint accepts apps that don't use modern authentication, so a stolen password opens files without MFA",
	{"LegacyAuthProtocolsEnabled": true},
	[{"setting": "LegacyAuthProtocolsEnabled", "value": true, "wanted": false}],
) if {
	enabled == true
} else := work.unreadable(work.spo_graph_path)
