# METADATA
# id: exp.guest_as_member
# condition: entra.guest_limited
# title: Guests have member access to the directory
# description: >-
#   Guests have the same access as members: each guest account, which another organization secures or no one
#   at all, can list all users, groups and memberships.
# scan: exposure
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authorizationPolicy]
# remediation:
#   - >-
#     Entra admin center > Identity > External Identities > External collaboration settings > Guest user
#     access: choose access restricted to properties and memberships of their own directory objects.
#   - >-
#     Or: PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy
#     {"guestUserRoleId":"2af84b1e-32c8-42b7-82bc-daa82404023b"}
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/users/users-restrict-guest-permissions"
# frameworks: ["NIST.800-53.AC-6"]
package watchpost.checks.exp_guest_as_member

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

ids := {lower(id) | some id in entra.authorized(["guestUserRoleId"])}

member := "a0b1b346-4d3e-4e8b-98f8-753987be4970"

known := {"10dae51f-b6af-4016-8d66-8c2a99b929b3", "2af84b1e-32c8-42b7-82bc-daa82404023b", member}

result := lib.skipped("unreadable", "The authorization policy doesn't report the access level of guests") if {
	count(ids) == 0
} else := lib.failed("Guests have the same access as members, so each of them can list all people and groups", member, [{"guest_role": member}]) if {
	member in ids
} else := lib.skipped("unreadable", "The authorization policy reports an access level of guests that Watchpost doesn't know") if {
	count(ids - known) > 0
} else := lib.passed("Guests have less access to the directory than members", ids)
