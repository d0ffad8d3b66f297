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

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "blocks legacy authentication for everyone",
	"so": "and security defaults are off, so anyone can try passwords without MFA",
}

spec := access.specified({"demand": "block", "own": "clients", "needs": access.needing("clients", {"exchangeactivesync", "other"})})

conditional := access.verdict(spec, words)

blocked if conditional.result == "passed"

blocked if access.security_defaults == "on"

smtp_values := {row.SmtpClientAuthenticationDisabled |
	some row in lib.rows("exchange/TransportConfig")
	is_boolean(row.SmtpClientAuthenticationDisabled)
}

smtp_open if false in smtp_values

result := lib.skipped("unreadable", "No policy blocks legacy authentication for everyone, and it is unknown whether security defaults are on") if {
	not blocked
	access.security_defaults == "unknown"
} else := conditional if {
	not blocked
} else := lib.failed(
	"SMTP AUTH is on for the whole organization, so anyone can try passwords there without MFA",
	{"smtp_auth": "on"},
	[{"setting": "SmtpClientAuthenticationDisabled", "value": false}],
) if {
	smtp_open
} else := lib.skipped("unreadable", "Legacy authentication is blocked for everyone, but it is unknown whether SMTP AUTH is on") if {
	count(smtp_values) == 0
} else := lib.passed("Legacy authentication is blocked for everyone", {"security_defaults": access.security_defaults, "smtp_auth": "off"})
