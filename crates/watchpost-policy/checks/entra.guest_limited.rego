# METADATA
# id: entra.guest_limited
# title: Guest access to the directory is limited
# description: >-
#   A guest with the same access as a member can list all users, groups and memberships, and so can an
#   attacker who takes over the guest's account.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authorizationPolicy]
# remediation:
#   - >-
#     Entra admin center > Identity > External Identities > External collaboration settings > Guest user
#     access: choose limited access, or better, access restricted to properties and memberships of their own
#     directory objects.
#   - >-
#     Or: PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy
#     {"guestUserRoleId":"2af84b1e-32c8-42b7-82bc-daa82404023b"}
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/users/users-restrict-guest-permissions"
# frameworks: ["MS.AAD.8.1v1", "CIS.M365.5.1.6.2", "NIST.800-53.AC-6"]
package watchpost.checks.entra_guest_limited

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

levels := {
	"10dae51f-b6af-4016-8d66-8c2a99b929b3": "limited access",
	"2af84b1e-32c8-42b7-82bc-daa82404023b": "restricted access",
}

ids := entra.authorized(["guestUserRoleId"])

wide := [id | some id in ids; not levels[lower(id)]]

# The access level in words.
title(id) := "the same access as members" if lower(id) == "a0b1b346-4d3e-4e8b-98f8-753987be4970"

title(id) := sprintf("an unknown role (%s)", [lib.short(id)]) if lower(id) != "a0b1b346-4d3e-4e8b-98f8-753987be4970"

result := lib.skipped("unreadable", "The authorization policy doesn't report the access level of guests") if {
	count(ids) == 0
} else := lib.failed(
	sprintf("Guests have %s, so each of them can list people and groups", [title(wide[0])]),
	wide[0],
	[{"guest_role": id} | some id in wide],
) if {
	count(wide) > 0
} else := lib.passed(sprintf("Guests have %s", [levels[lower(ids[0])]]), ids[0])
