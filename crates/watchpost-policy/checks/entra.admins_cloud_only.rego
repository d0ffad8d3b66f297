# METADATA
# id: entra.admins_cloud_only
# title: Privileged accounts are cloud-only
# description: >-
#   An account synced from on-premises can be taken over from there: an attacker who controls the on-premises
#   directory controls the cloud account. Administrators need accounts that exist only in Entra ID.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [directory/privilegedUsers]
# remediation:
#   - "Create a cloud-only account for each administrator: Entra admin center > Identity > Users > New user, on the onmicrosoft.com domain."
#   - "Move the role assignments to it: Identity > Roles & admins > the role > Add assignments."
#   - "Remove the roles from the synced account."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/role-based-access-control/best-practices"
# frameworks: ["MS.AAD.7.3v1", "CIS.M365.1.1.1", "NIST.800-53.AC-6(5)"]
package watchpost.checks.entra_admins_cloud_only

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

considered := [holder |
	some holder in entra.holders
	not lower(object.get(holder, "id", "")) in lib.exempt("user")
]

# The sync state tells: null means never synced, and false not any more. The id of the on-premises object stays when the
# synchronization ends, so it tells only that an account without one was never synced.
state(holder) := "synced" if {
	object.get(holder, "onPremisesSyncEnabled", null) == true
} else := "cloud" if {
	"onPremisesSyncEnabled" in object.keys(holder)
	object.get(holder, "onPremisesSyncEnabled", null) in {false, null}
} else := "cloud" if {
	"onPremisesImmutableId" in object.keys(holder)
	is_null(holder.onPremisesImmutableId)
} else := "unknown"

# The published reading takes an account with the id for synced, and one about which nothing is known, too.
published_state(holder) := "cloud" if {
	"onPremisesImmutableId" in object.keys(holder)
	is_null(holder.onPremisesImmutableId)
} else := "synced"

synced := [holder | some holder in considered; published_state(holder) == "synced"] if input.profile == "scuba"

synced := [holder | some holder in considered; state(holder) == "synced"] if input.profile != "scuba"

unknown := [holder | some holder in considered; state(holder) == "unknown"]

failing := synced

# A tenant always has a holder of a privileged role.
result := lib.skipped("unreadable", "The list of privileged accounts is empty, so it was not read completely") if {
	input.profile != "scuba"
	count(entra.holders) == 0
} else := lib.failed_entities(
	sprintf("%s synced from on-premises (%s), so an attacker who controls the on-premises directory controls the tenant", [lib.number_of(count(failing), "privileged account is", "privileged accounts are"), lib.join({entra.name_of(holder) | some holder in failing})]),
	{"synced": count(failing), "privileged": count(considered)},
	[{"account": entra.name_of(holder), "roles": entra.texts(holder, ["roles"])} | some holder in array.slice(failing, 0, 50)],
	[{"type": "user", "id": object.get(holder, "id", ""), "name": entra.name_of(holder)} | some holder in failing],
) if {
	count(failing) > 0
} else := lib.skipped("unreadable", "It is unknown whether some privileged accounts are synced") if {
	count(unknown) > 0
} else := lib.passed(sprintf("%s, none synced from on-premises", [lib.number_of(count(considered), "privileged account", "privileged accounts")]), {"privileged": count(considered)})
