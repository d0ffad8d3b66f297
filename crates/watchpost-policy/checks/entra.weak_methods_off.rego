# METADATA
# id: entra.weak_methods_off
# title: SMS, voice and email codes are off
# description: >-
#   Codes sent by text message, phone call or email can be intercepted, redirected by a SIM swap, or read in
#   a compromised mailbox.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authenticationMethodsPolicy]
# remediation:
#   - "Move people to Microsoft Authenticator, passkeys or Windows Hello for Business first: Protection > Authentication methods > User registration details lists who still depends on codes."
#   - "Entra admin center > Protection > Authentication methods > Policies: turn off SMS, Voice call and Email OTP."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/authentication/concept-authentication-methods-manage"
# frameworks: ["MS.AAD.3.5v2", "CIS.M365.5.2.3.5", "CIS.M365.5.2.3.7", "NIST.800-53.CM-7", "NIST.800-53.IA-5"]
package watchpost.checks.entra_weak_methods_off

import data.watchpost.checklib as lib
import rego.v1

methods := lib.list(lib.one("policies/authenticationMethodsPolicy"), "authenticationMethodConfigurations")

weak := {"sms": "SMS", "voice": "voice calls", "email": "email codes"}

found := [method | some method in methods; weak[lower(method.id)]]

on := [weak[lower(method.id)] |
	some method in found
	is_string(method.state)
	method.state != "disabled"
]

# A method without a state is unknown.
stateless := {weak[lower(method.id)] | some method in found; not is_string(object.get(method, "state", null))}

# The published reading treats a method that is not listed as off.
unreported if {
	input.profile != "scuba"
	count({lower(method.id) | some method in found}) < 3
}

default unreported := false

result := lib.failed(
	sprintf("Sign-in with %s is allowed, so codes can be intercepted", [concat(" and ", on)]),
	{"on": on},
	[{"method": word} | some word in on],
) if {
	count(on) > 0
} else := lib.skipped("unreadable", "The authentication methods policy doesn't list SMS, voice calls and email codes") if {
	unreported
} else := lib.skipped("unreadable", sprintf("It is unknown whether sign-in with %s is allowed", [concat(" and ", stateless)])) if {
	count(stateless) > 0
} else := lib.passed("SMS, voice calls and email codes are off", {"on": []})
