# METADATA
# id: spo.default_link_specific
# title: Default link is for specific people
# description: >-
#   The link that "Share" offers first must work only for the people who are named. A wider default spreads
#   files by habit rather than by decision.
# scan: compliance
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: [sharepoint/Tenant]
# remediation:
#   - "SharePoint admin center > Policies > Sharing > File and folder links: choose \"Specific people (only the people the user specifies)\"."
#   - "Or in PowerShell: Set-SPOTenant -DefaultSharingLinkType Direct"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
#   - https://learn.microsoft.com/powershell/module/sharepoint-online/set-spotenant
# frameworks: ["MS.SHAREPOINT.2.1v1", "CIS.M365.7.2.7", "NIST.800-53.AC-6"]
package watchpost.checks.spo_default_link_specific

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

kind := work.spo.DefaultSharingLinkType

titles := {0: "the people that each site's setting allows", 2: "everyone in the organization", 3: "anyone who has it"}

result := lib.passed("The default sharing link works only for the people who are named", {"DefaultSharingLinkType": kind}) if {
	kind == 1
} else := lib.failed(
	sprintf("The default sharing link works for %s instead of only the people who are named, so files spread by habit", [object.get(titles, kind, "more people")]),
	{"DefaultSharingLinkType": kind},
	[{"setting": "DefaultSharingLinkType", "value": kind, "wanted": 1}],
) if {
	is_number(kind)
} else := work.spo_needs(["DefaultSharingLinkType"])
