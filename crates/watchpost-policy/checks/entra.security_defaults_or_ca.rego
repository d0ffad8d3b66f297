# METADATA
# id: entra.security_defaults_or_ca
# title: Security defaults or Conditional Access protect sign-ins
# description: >-
#   A tenant with neither security defaults nor Conditional Access that requires more than a password (MFA or
#   a managed device) of all users in all apps lets in anyone who has a password. A few excluded accounts are
#   allowed here.
# scan: compliance
# severity: critical
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: []
# optional_inputs: [policies/identitySecurityDefaultsEnforcementPolicy, identity/conditionalAccess/policies]
# remediation:
#   - >-
#     With Entra ID P1 or better: Entra admin center > Protection > Conditional Access, and start from the
#     templates for all users.
#   - "Otherwise: Identity > Overview > Properties > Manage security defaults > Enabled."
# references:
#   - "https://learn.microsoft.com/en-us/entra/fundamentals/security-defaults"
# frameworks: ["NIST.800-53.IA-2", "NIST.800-53.AC-2"]
# params:
#   most_excluded_accounts: 5
package watchpost.checks.entra_security_defaults_or_ca

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "requires more than a password of everyone",
	"so": "and security defaults are off, so a password is enough to sign in",
}

# A few excluded accounts, such as those for emergencies, are judged by the check for MFA.
spec := access.specified({"demand": "more_than_password", "tolerated": input.params.most_excluded_accounts})

conditional := access.verdict(spec, words)

result := lib.passed("Security defaults are on", {"security_defaults": true}) if {
	access.security_defaults == "on"
} else := conditional if {
	conditional.result == "passed"
} else := lib.skipped("unreadable", "Security defaults and Conditional Access could not be read completely") if {
	not readable
} else := conditional

readable if {
	access.security_defaults == "off"
	lib.has(entra.ca_path)
}
