# METADATA
# id: def.no_ip_allow
# title: Connection filter allows no IP addresses
# description: >-
#   Mail from an allowed IP address skips the spam filter and sender authentication. No connection filter may
#   allow any.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# inputs: [exchange/HostedConnectionFilterPolicy]
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-spam, Connection filter policy: Edit, and remove every address from the list that is always allowed."
#   - "Or in Exchange Online PowerShell: Set-HostedConnectionFilterPolicy -Identity \"Default\" -IPAllowList @{}"
# references:
#   - "https://learn.microsoft.com/defender-office-365/connection-filter-policies-configure"
# frameworks: ["MS.SECURITYSUITE.8.1v1", "MS.EXO.12.1v1", "CIS.M365.2.1.12", "NIST.800-53.AC-4"]
package watchpost.checks.def_no_ip_allow

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

filters := lib.rows("exchange/HostedConnectionFilterPolicy")

# A missing field counts as unread, as a missing filter does; null is an empty list.
has_field(filter_) if {
	some field, _ in filter_
	field == "IPAllowList"
}

open_filters := [filter_ | some filter_ in filters; count(lib.list(filter_, "IPAllowList")) > 0]

addresses := [address | some filter_ in open_filters; some address in lib.list(filter_, "IPAllowList")]

detected := {"IPAllowList": [lib.short(address) | some address in array.slice(addresses, 0, 100)]}

result := lib.failed_entities(
	sprintf("The connection filter lets mail from %s bypass the spam filter (%s), regardless of its sender", [
		lib.number_of(count(addresses), "IP address", "IP addresses"),
		lib.join(addresses),
	]),
	detected, [], [defender.entity(filter_) | some filter_ in open_filters],
) if {
	count(open_filters) > 0
} else := lib.passed("No connection filter allows any IP address", detected) if {
	known
} else := lib.skipped("unreadable", "The setting IPAllowList wasn't read")

known if {
	count(filters) > 0
	every filter_ in filters { has_field(filter_) }
}

# The published reading passes if there are no filters.
known if {
	lib.scuba
	lib.has("exchange/HostedConnectionFilterPolicy")
	count(filters) == 0
}
