# METADATA
# id: spo.domain_allowlist
# title: External sharing only with listed domains
# description: >-
#   Where external sharing is on, it must be limited to a list of allowed domains. A list of blocked domains
#   stops only the outsiders that someone thought of. This check doesn't consider limits by security group.
# scan: compliance
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [sharepoint/Tenant, admin/sharepoint/settings]
# remediation:
#   - "SharePoint admin center > Policies > Sharing > More external sharing settings: select \"Limit external sharing by domain\", choose \"Allow only specific domains\" and list your partners."
#   - "Or in PowerShell: Set-SPOTenant -SharingDomainRestrictionMode AllowList -SharingAllowedDomainList \"partner.example\""
# references:
#   - https://learn.microsoft.com/sharepoint/restricted-domains-sharing
# frameworks: ["MS.SHAREPOINT.1.3v1", "CIS.M365.7.2.6", "NIST.800-53.AC-3", "NIST.800-53.AC-6(10)"]
package watchpost.checks.spo_domain_allowlist

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

needs := ["SharingCapability", "SharingDomainRestrictionMode"]

mode_words := {"none": 0, "allowlist": 1, "blocklist": 2}

mode := work.spo.SharingDomainRestrictionMode if {
	is_number(work.spo.SharingDomainRestrictionMode)
} else := mode_words[lower(work.spo.SharingDomainRestrictionMode)] if {
	is_string(work.spo.SharingDomainRestrictionMode)
} else := mode_words[lower(work.spo_graph.sharingDomainRestrictionMode)] if {
	not lib.scuba
}

titles := {0: "doesn't limit domains", 2: "only blocks listed domains"}

result := lib.skipped("not_applicable", "External sharing is off in SharePoint") if {
	work.spo_sharing == 0
	work.spo_may_skip(needs)
} else := lib.passed(
	"Files can be shared only with listed domains",
	{"SharingCapability": work.spo_sharing, "SharingDomainRestrictionMode": mode},
) if {
	work.spo_sharing in {1, 2, 3}
	mode == 1
} else := lib.failed(
	sprintf("SharePoint allows sharing with %s and %s, so files can go to any other company or private address", [
		work.reach_title(work.spo_sharing),
		object.get(titles, mode, "has no list of allowed domains"),
	]),
	{"SharingCapability": work.spo_sharing, "SharingDomainRestrictionMode": mode},
	[{"setting": "SharingDomainRestrictionMode", "value": mode, "wanted": 1}],
) if {
	work.spo_sharing in {1, 2, 3}
	is_number(mode)
} else := work.spo_needs(needs)
