# METADATA
# id: exp.guest_open_invites
# title: Anyone, including guests, can invite guests
# description: >-
#   If guests can invite further guests, access to company data spreads without a decision by anyone in the
#   company.
# scan: exposure
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authorizationPolicy]
# remediation:
#   - >-
#     Entra admin center > Identity > External Identities > External collaboration settings > Guest invite
#     settings: Only users assigned to specific admin roles can invite guest users.
#   - "Review the guests that were invited so far: Identity > Users > filter on User type: Guest."
# references:
#   - "https://learn.microsoft.com/en-us/entra/external-id/external-collaboration-settings-configure"
# frameworks: ["NIST.800-53.AC-6(10)"]
package watchpost.checks.exp_guest_open_invites

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

values := entra.authorized(["allowInvitesFrom"])

known := {"none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone"}

result := lib.skipped("unreadable", "The authorization policy doesn't report who can invite guests") if {
	count(values) == 0
} else := lib.failed("Everyone, including guests, can invite guests, so access spreads without a decision by anyone in the company", "everyone", [{"allow_invites_from": "everyone"}]) if {
	"everyone" in values
} else := lib.skipped("unreadable", "The authorization policy reports an invitation setting that Watchpost doesn't know") if {
	count({found | some found in values} - known) > 0
} else := lib.passed("Guests can't invite guests", values[0])
