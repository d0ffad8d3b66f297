# METADATA
# id: entra.managed_device_mfa_registration
# title: Managed device required to register MFA
# description: >-
#   Anyone who has a password can register a second factor of their own if the account has none yet.
#   Registration must be possible only from managed devices.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - "Users: all users. Target resources: User actions > Register security information."
#   - >-
#     Grant: Require device to be marked as compliant or Require Microsoft Entra hybrid joined device. Hand
#     out Temporary Access Passes for first devices.
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-all-users-security-info-registration"
# frameworks: ["MS.AAD.3.8v1", "CIS.M365.5.2.2.10", "NIST.800-53.AC-20", "NIST.800-53.IA-3"]
package watchpost.checks.entra_managed_device_mfa_registration

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "requires a managed device to register MFA",
	"so": "so anyone who has a password can register their own second factor",
}

# A policy for a user action has no apps to exclude.
spec := access.specified({"demand": "managed_device", "what": "registration", "kinds": {"user", "group", "role", "guest_user_type"}})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.all_users(policy)
	"urn:user:registersecurityinfo" in entra.lower_texts(policy, ["conditions", "applications", "includeUserActions"])
	entra.no_excluded_roles(policy)
	count(entra.grants(policy) & {"compliantDevice", "domainJoinedDevice"}) > 0
]

result := entra.ca_verdict(found, entra.people, words) if {
	lib.scuba
} else := access.verdict(spec, words)
