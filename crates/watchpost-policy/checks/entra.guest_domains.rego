# METADATA
# id: entra.guest_domains
# title: Guests can be invited only from listed domains
# description: >-
#   A list of partner domains prevents invitations to private mailboxes and look-alike domains. Without a
#   list, a person has to decide whether the business needs open invitations.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/b2bManagementPolicy]
# remediation:
#   - >-
#     Entra admin center > Identity > External Identities > External collaboration settings > Collaboration
#     restrictions: Allow invitations only to the specified domains (most restrictive).
#   - "List the domains of the partners that you work with, and save."
# references:
#   - "https://learn.microsoft.com/en-us/entra/external-id/allow-deny-list"
# frameworks: ["MS.AAD.8.3v1", "CIS.M365.5.1.6.1", "NIST.800-53.AC-3"]
package watchpost.checks.entra_guest_domains

import data.watchpost.checklib as lib
import rego.v1

# The policy holds its rules as a JSON string.
allowed := {lower(domain) |
	some policy in lib.rows("policies/b2bManagementPolicy")
	some text in lib.list(policy, "definition")
	is_string(text)
	json.is_valid(text)
	some domain in lib.as_list(object.get(json.unmarshal(text), ["B2BManagementPolicy", "InvitationsAllowedAndBlockedDomainsPolicy", "AllowedDomains"], null))
	is_string(domain)
}

# The published reading leaves this to a person.
result := lib.skipped("manual", "Check External collaboration settings > Collaboration restrictions: invitations should be limited to listed domains") if {
	input.profile == "scuba"
} else := lib.passed(sprintf("Invitations are limited to %s: %s", [lib.number_of(count(allowed), "domain", "domains"), lib.join(allowed)]), {"allowed": allowed}) if {
	count(allowed) > 0
} else := lib.skipped("manual", "Invitations can go to any domain that is not blocked: decide whether the business needs that, or list the partner domains")
