# METADATA
# id: entra.named_location
# title: A trusted named location exists
# description: >-
#   Named locations let sign-in logs, risk detection and policies distinguish the office from other
#   locations.
# scan: compliance
# severity: low
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/namedLocations]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Named locations > IP ranges location."
#   - "Add the public addresses of your offices and VPN, and select Mark as trusted location."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/concept-assignment-network"
# frameworks: ["CIS.M365.5.2.2.14", "NIST.800-53.AC-2(12)"]
package watchpost.checks.entra_named_location

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

locations := lib.rows("identity/conditionalAccess/namedLocations")

trusted := [location |
	some location in locations
	location.isTrusted == true
	count(lib.list(location, "ipRanges")) > 0
]

result := lib.passed(sprintf("%s: %s", [lib.number_of(count(trusted), "trusted location", "trusted locations"), entra.names(trusted)]), {"trusted": count(trusted)}) if {
	count(trusted) > 0
} else := lib.failed(
	sprintf("No trusted named location with IP addresses exists (%s checked), so the office can't be distinguished from other locations", [lib.number_of(count(locations), "named location", "named locations")]),
	{"locations": count(locations), "trusted": 0},
	[],
)
