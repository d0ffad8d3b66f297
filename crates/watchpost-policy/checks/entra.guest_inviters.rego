# METADATA
# id: entra.guest_inviters
# title: Only guest inviters can invite guests
# description: >-
#   If every member, or even every guest, can invite guests, no one knows who has access or why. Only
#   administrators and holders of the Guest Inviter role should be able to invite guests.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authorizationPolicy]
# remediation:
#   - "Entra admin center > Identity > External Identities > External collaboration settings > Guest invite settings: Only users assigned to specific admin roles can invite guest users."
#   - "Give the Guest Inviter role to the people who work with partners (Identity > Roles & admins)."
# references:
#   - "https://learn.microsoft.com/en-us/entra/external-id/external-collaboration-settings-configure"
# frameworks: ["MS.AAD.8.2v1", "CIS.M365.5.1.6.3", "NIST.800-53.AC-6(10)"]
package watchpost.checks.entra_guest_inviters

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

values := entra.authorized(["allowInvitesFrom"])

accepted := {"adminsAndGuestInviters"} if input.profile == "scuba"

# `none` is even stricter.
accepted := {"adminsAndGuestInviters", "none"} if input.profile != "scuba"

words := {
	"everyone": "Everyone, including guests, can invite guests",
	"adminsGuestInvitersAndAllMembers": "Every member can invite guests",
	"none": "No one can invite guests, which is stricter than the published setting",
	"adminsAndGuestInviters": "Only administrators and guest inviters can invite guests",
}

wide := [found | some found in values; not found in accepted]

result := lib.skipped("unreadable", "The authorization policy doesn't report who can invite guests") if {
	count(values) == 0
} else := lib.failed(
	sprintf("%s, so no one knows who has access and why", [object.get(words, wide[0], "The invitation setting has an unknown value")]),
	wide[0],
	[{"allow_invites_from": found} | some found in wide],
) if {
	count(wide) > 0
} else := lib.passed(words[values[0]], values[0])
