# METADATA
# id: exp.guest_share
# title: High share of guest accounts
# description: >-
#   If more than a quarter of the accounts are guests, invitations are probably never revoked. Another
#   organization secures each of these accounts.
# scan: exposure
# severity: info
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [users/summary]
# remediation:
#   - >-
#     Entra admin center > Identity Governance > Access reviews > New access review: Teams + Groups, all
#     Microsoft 365 groups with guest users, quarterly.
#   - >-
#     Delete guests that have not signed in for 90 days: Identity > Users > filter on User type: Guest and
#     last sign-in.
# references:
#   - "https://learn.microsoft.com/en-us/entra/id-governance/manage-guest-access-with-access-reviews"
# frameworks: ["NIST.800-53.AC-2"]
# params:
#   most_percent: 25
package watchpost.checks.exp_guest_share

import data.watchpost.checklib as lib
import rego.v1

summary := lib.one("users/summary")

share := summary.enabledGuests / summary.enabled if summary.enabled > 0

known if {
	is_number(summary.enabled)
	is_number(summary.enabledGuests)
}

result := lib.skipped("unreadable", "The numbers of accounts and guests are unknown") if {
	not known
} else := lib.skipped("not_applicable", "There are no enabled accounts") if {
	summary.enabled <= 0
} else := lib.failed(
	sprintf("%d of %d enabled accounts are guests, more than %d percent, so invitations are probably never revoked", [summary.enabledGuests, summary.enabled, input.params.most_percent]),
	{"enabled": summary.enabled, "guests": summary.enabledGuests},
	[{"enabled": summary.enabled, "guests": summary.enabledGuests}],
) if {
	share * 100 > input.params.most_percent
} else := lib.passed(sprintf("%d of %d enabled accounts are guests", [summary.enabledGuests, summary.enabled]), {"enabled": summary.enabled, "guests": summary.enabledGuests})
