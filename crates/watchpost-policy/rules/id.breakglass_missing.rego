# METADATA
# id: id.breakglass_missing
# title: No emergency access account declared
# description: >-
#   No active account with the highest role is tagged as an emergency access (break-glass) account. If the
#   identity provider or multi-factor authentication fails, no one may be able to sign in. An emergency
#   account that exists but isn't tagged looks like a stale administrator.
# severity: medium
# category: identity_security
# document: integration
# platforms: [m365]
# datasets: [users, roles]
# depends_on_decisions: true
# action: create_ticket
# remediation:
#   - "Create two cloud-only accounts with the Global Administrator role assigned permanently and security keys kept in a safe."
#   - "Exclude one of them from each Conditional Access policy, and alert on every use."
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

sentence := "No emergency access account is declared for Microsoft 365, so a sign-in outage or a lost second factor may lock everyone out"

evidence := [lib.fact("break_glass_accounts", 0)]
