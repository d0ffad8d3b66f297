# METADATA
# id: spo.guest_expiry
# title: Guest access to sites expires
# description: >-
#   A guest must lose access to a site or OneDrive after at most 30 days unless someone extends it. Otherwise
#   guests from finished projects keep their access indefinitely.
# scan: compliance
# severity: low
# service: sharepoint
# platforms: [m365]
# inputs: [sharepoint/Tenant]
# remediation:
#   - "SharePoint admin center > Policies > Sharing > More external sharing settings: select \"Guest access to a site or OneDrive will expire automatically after this many days\" and enter 30."
#   - "Or in PowerShell: Set-SPOTenant -ExternalUserExpirationRequired $true -ExternalUserExpireInDays 30"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
# frameworks: ["CIS.M365.7.2.9", "NIST.800-53.AC-2(3)"]
# params:
#   days: 30
package watchpost.checks.spo_guest_expiry

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

needs := ["ExternalUserExpirationRequired", "ExternalUserExpireInDays"]

required := work.spo.ExternalUserExpirationRequired

days := work.spo.ExternalUserExpireInDays

detected := {"ExternalUserExpirationRequired": required, "ExternalUserExpireInDays": days}

lasting := "never loses it" if {
	required == false
} else := sprintf("loses it only after %s", [lib.number_of(days, "day", "days")])

result := lib.skipped("not_applicable", "External sharing is off in SharePoint") if {
	work.spo_sharing == 0
} else := lib.passed(sprintf("Guests lose access to a site after %s", [lib.number_of(days, "day", "days")]), detected) if {
	required == true
	days >= 1
	days <= input.params.days
} else := lib.failed(
	sprintf("A guest with access to a site %s, so people from finished projects keep their access", [lasting]),
	detected,
	[{"setting": "ExternalUserExpirationRequired", "value": required, "wanted": true}, {"setting": "ExternalUserExpireInDays", "value": days, "wanted": sprintf("at most %d", [input.params.days])}],
) if {
	is_boolean(required)
	is_number(days)
} else := work.spo_needs(needs)
