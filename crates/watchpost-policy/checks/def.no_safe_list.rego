# METADATA
# id: def.no_safe_list
# title: Microsoft's safe list is off
# description: >-
#   With the safe list on, mail from senders that Microsoft's partners trust skips the spam filter. Customers
#   can't see which senders are on the list.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# inputs: [exchange/HostedConnectionFilterPolicy]
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-spam, Connection filter policy: Edit, and clear Turn on safe list."
#   - "Or in Exchange Online PowerShell: Set-HostedConnectionFilterPolicy -Identity \"Default\" -EnableSafeList $false"
# references:
#   - "https://learn.microsoft.com/defender-office-365/connection-filter-policies-configure"
# frameworks: ["MS.SECURITYSUITE.8.2v1", "MS.EXO.12.2v1", "CIS.M365.2.1.13", "NIST.800-53.AC-4"]
package watchpost.checks.def_no_safe_list

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

filters := lib.rows("exchange/HostedConnectionFilterPolicy")

on := [filter_ | some filter_ in filters; filter_.EnableSafeList == true]

known if {
	count(filters) > 0
	every filter_ in filters { is_boolean(filter_.EnableSafeList) }
}

# The published reading passes if there are no filters.
known if {
	lib.scuba
	lib.has("exchange/HostedConnectionFilterPolicy")
}

detected := {"EnableSafeList": [object.get(filter_, "EnableSafeList", null) | some filter_ in filters]}

result := lib.failed_entities(
	sprintf("Microsoft's safe list is on (%s), so mail from senders that this organization did not choose skips the spam filter", [
		lib.join([defender.name(filter_) | some filter_ in on]),
	]),
	detected, [], [defender.entity(filter_) | some filter_ in on],
) if {
	count(on) > 0
} else := lib.passed("No connection filter uses the safe list", detected) if {
	known
} else := lib.skipped("unreadable", "The setting EnableSafeList wasn't read")
