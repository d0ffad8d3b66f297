# METADATA
# id: id.breakglass_missing
# title: No emergency account declared
# description: >-
#   No active account with the highest role is tagged as an emergency account. When the identity provider or
#   the second factor fails, nobody may be able to get in; and a real emergency account that isn't tagged
#   looks like a stale administrator.
# severity: medium
# category: identity_security
# document: integration
# platforms: [m365]
# datasets: [users, roles]
# depends_on_decisions: true
# action: create_ticket
# remediation:
#   - "Make two cloud-only accounts with permanent Global Administrator and security keys kept in a safe."
#   - "Leave one of them out of each conditional-access policy and alert on every use."
#   - "Tag them as emergency accounts in Watchpost."
# references:
#   - https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access
# frameworks: ["NIST.800-53.CP-2", "NIST.800-53.AC-2"]
package watchpost.rules.id_breakglass_missing

import rego.v1

import data.watchpost.lib

needs := {"users", "roles"}

result := lib.failed(sentence, evidence, []) if {
	applies
	lib.readable(input.doc, needs)
	input.doc.break_glass_accounts == 0
}

else := lib.skipped("not_applicable") if not applies

else := lib.skipped("unreadable") if not lib.readable(input.doc, needs)

else := lib.passed

applies if {
	is_number(input.doc.last_completed_ms)
	not input.doc.status in {"pending", "disconnected"}
	input.doc.platform == "m365"
}

sentence := "No emergency account is declared for Microsoft 365, so an outage of sign-in or a lost second factor may lock everybody out"

evidence := [lib.fact("break_glass_accounts", 0)]
