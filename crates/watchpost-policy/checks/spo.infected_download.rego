# METADATA
# id: spo.infected_download
# title: Infected files cannot be downloaded
# description: >-
#   A file that virus scanning found to be infected must not be downloadable from SharePoint or OneDrive, so
#   that it doesn't spread.
# scan: compliance
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: [sharepoint/Tenant]
# remediation:
#   - "PowerShell (the admin center has no setting for it): Set-SPOTenant -DisallowInfectedFileDownload $true"
# references:
#   - https://learn.microsoft.com/defender-office-365/safe-attachments-for-spo-odfb-teams-configure
# frameworks: ["CIS.M365.7.3.1", "NIST.800-53.SI-3"]
package watchpost.checks.spo_infected_download

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

blocked := work.spo.DisallowInfectedFileDownload

result := lib.passed("Infected files can't be downloaded", {"DisallowInfectedFileDownload": true}) if {
	blocked == true
} else := lib.failed(
	"SharePoint lets people download files that are known to be infected, so malware reaches their devices",
	{"DisallowInfectedFileDownload": false},
	[{"setting": "DisallowInfectedFileDownload", "value": false, "wanted": true}],
) if {
	blocked == false
} else := work.spo_needs(["DisallowInfectedFileDownload"])
