# METADATA
# id: entra.managed_device_auth
# title: Managed device required to sign in
# description: >-
#   If sign-in requires a managed device, a stolen password and even a relayed second factor are useless on
#   the attacker's own computer.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - "Users: all users. Target resources: all resources."
#   - >-
#     Grant: Require device to be marked as compliant and Require Microsoft Entra hybrid joined device, with
#     Require one of the selected controls.
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-all-users-device-compliance"
# frameworks: ["MS.AAD.3.7v1", "CIS.M365.5.2.2.9", "NIST.800-53.AC-20", "NIST.800-53.IA-3"]
package watchpost.checks.entra_managed_device_auth

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "requires a managed device for everyone",
	"so": "so an attacker can sign in from any computer",
}

spec := access.specified({"demand": "managed_device"})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.for_everyone(policy)
	entra.grants(policy) == {"compliantDevice", "domainJoinedDevice"}
	entra.at(policy, ["grantControls", "operator"]) == "OR"
]

result := entra.ca_verdict(found, entra.people_and_apps, words) if {
	lib.scuba
} else := access.verdict(spec, words)
