# METADATA
# id: entra.guest_inviters
# title: Only guest inviters invite guests
# description: >-
#   Where every member, or even every guest, may invite, nobody knows who has access or why. Inviting belongs to
#   administrators and holders of the role Guest Inviter.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authorizationPolicy]
# remediation:
#   - >-
#     Entra admin center > Identity > External Identities > External collaboration settings > Guest invite
#     settings: Only users assigned to specific admin roles can invite guest users.
#   - "Give the role Guest Inviter to those who work with partners (Identity > Roles & admins)."
# references:
#   - "https://learn.microsoft.com/en-us/entra/external-id/external-collaboration-settings-configure"
# frameworks: ["MS.AAD.8.2v1", "CIS.M365.5.1.6.3", "NIST.800-53.AC-6(10)"]
package watchpost.checks.entra_guest_inviters

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

values := entra.authorized(["allowInvitesFrom"])

accepted := {"adminsAndGuestInviters"} if input.profile == "scuba"

# Nobody is stricter still.
accepted := {"adminsAndGuestInviters", "none"} if input.profile != "scuba"

words := {
	"everyone": "Everyone, guests included, may invite guests",
	"adminsGuestInvitersAndAllMembers": "Every member may invite guests",
	"none": "Nobody may invite guests, which is stricter than the published setting",
	"adminsAndGuestInviters": "Only administrators and guest inviters may invite guests",
}

wide := [found | some found in values; not found in accepted]

result := lib.skipped("unreadable", "The authorization policy doesn't tell who may invite.") if {
	count(values) == 0
} else := lib.failed(
	sprintf("%s, so nobody knows who has access and why", [object.get(words, wide[0], "Who may invite guests is unknown to us")]),
	wide[0],
	[{"allow_invites_from": found} | some found in wide],
) if {
	count(wide) > 0
} else := lib.passed(words[values[0]], values[0])
