# METADATA
# id: exp.legacy_auth_open
# condition: entra.legacy_auth_blocked
# title: Legacy authentication is allowed
# description: >-
#   Anyone on the internet can try passwords against protocols that don't support a second factor: no policy
#   blocks these protocols for everyone and security defaults are off, or SMTP AUTH is on for the whole
#   organization.
# scan: exposure
# severity: critical
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# optional_inputs: [policies/identitySecurityDefaultsEnforcementPolicy, exchange/TransportConfig]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > New policy: all users, all resources, Client apps: Exchange ActiveSync clients and Other clients, Grant: Block access."
#   - "Exchange Online PowerShell: Set-TransportConfig -SmtpClientAuthenticationDisabled $true, and allow individual mailboxes with Set-CASMailbox where a device needs it."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-block-legacy-authentication"
# frameworks: ["NIST.800-53.CM-7"]
package watchpost.checks.exp_legacy_auth_open

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "blocks legacy authentication for everyone",
	"so": "and security defaults are off, so anyone can try passwords without MFA",
}

found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	{"exchangeActiveSync", "other"} - entra.texts(policy, ["conditions", "clientAppTypes"]) == set()
	entra.blocks(policy)
]

defaults := lib.one("policies/identitySecurityDefaultsEnforcementPolicy").isEnabled

conditional := entra.ca_verdict(found, entra.people_and_apps, words)

blocked if conditional.result == "passed"

blocked if defaults == true

smtp_open if {
	some row in lib.rows("exchange/TransportConfig")
	row.SmtpClientAuthenticationDisabled == false
}

smtp := "on" if smtp_open

smtp := "off" if not smtp_open

result := lib.skipped("unreadable", "No policy blocks legacy authentication for everyone, and it is unknown whether security defaults are on") if {
	not blocked
	not is_boolean(defaults)
} else := conditional if {
	not blocked
} else := lib.failed(
	"SMTP AUTH is on for the whole organization, so anyone can try passwords there without MFA",
	{"smtp_auth": "on"},
	[{"setting": "SmtpClientAuthenticationDisabled", "value": false}],
) if {
	smtp_open
} else := lib.passed("Legacy authentication is blocked for everyone", {"security_defaults": defaults_or_unknown, "smtp_auth": smtp})

defaults_or_unknown := defaults if is_boolean(defaults)

defaults_or_unknown := "unknown" if not is_boolean(defaults)
