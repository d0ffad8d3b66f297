# METADATA
# id: entra.security_defaults_or_ca
# title: Security defaults or Conditional Access protect sign-ins
# description: >-
#   A tenant with neither security defaults nor a Conditional Access policy for all users lets in anyone who
#   has a password.
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
package watchpost.checks.entra_security_defaults_or_ca

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

defaults := lib.one("policies/identitySecurityDefaultsEnforcementPolicy").isEnabled

for_all := [policy |
	some policy in entra.enabled(entra.policies)
	entra.all_users(policy)
]

result := lib.passed("Security defaults are on", {"security_defaults": true}) if {
	defaults == true
} else := lib.passed(sprintf("%s to all users: %s", [lib.number_of(count(for_all), "Conditional Access policy applies", "Conditional Access policies apply"), entra.names(for_all)]), {"security_defaults": false, "policies": count(for_all)}) if {
	count(for_all) > 0
} else := lib.skipped("unreadable", "Security defaults and Conditional Access could not be read completely") if {
	not readable
} else := lib.failed("Security defaults are off and no enabled Conditional Access policy applies to all users, so a password is enough to sign in", {"security_defaults": false, "policies": 0}, [])

readable if {
	is_boolean(defaults)
	lib.has(entra.ca_path)
}
