# METADATA
# id: entra.phishing_resistant_mfa_admins
# title: Phishing-resistant MFA for privileged roles
# description: >-
#   An attacker who takes over an administrator account takes over the company. For every holder of a
#   privileged role, a Conditional Access policy must accept only passkeys, Windows Hello for Business or
#   certificates.
# scan: compliance
# severity: critical
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# optional_inputs: [directory/privilegedRoles]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - >-
#     Users: Directory roles, and choose the eight privileged roles (Global, Privileged Role, User,
#     SharePoint, Exchange, Hybrid Identity, Application and Cloud Application Administrator).
#   - "Target resources: all resources. Grant: Require authentication strength > Phishing-resistant MFA."
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-admin-phish-resistant-mfa"
# frameworks: ["MS.AAD.3.6v1", "CIS.M365.5.2.2.5", "NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(8)", "NIST.800-53.IA-5"]
package watchpost.checks.entra_phishing_resistant_mfa_admins

import data.watchpost.checklib_access as access
import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": "requires phishing-resistant MFA for all privileged roles",
	"so": "so a fake sign-in page can take over an administrator account",
}

# All users include the administrators.
spec := access.specified({"demand": "phishing_resistant", "who": "administrators"})

# The published reading.
found := [policy |
	some policy in entra.policies
	entra.covers_privileged_roles(policy)
	entra.all_apps(policy)
	entra.no_excluded_roles(policy)
	entra.demands_phishing_resistant(policy)
]

result := entra.ca_verdict(found, entra.people_and_apps, words) if {
	lib.scuba
} else := access.verdict(spec, words)
