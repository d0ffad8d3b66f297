# METADATA
# id: entra.phishing_resistant_mfa_admins
# title: Phishing-resistant MFA for privileged roles
# description: >-
#   Whoever takes over an administrator takes over the company. A conditional access policy must accept
#   passkeys, Windows Hello for Business or certificates alone from every holder of a privileged role.
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
#   - "Leave out your emergency access accounts only, and declare them as exemptions of this check."
#   - "Run it in report-only mode for a week, read the sign-in log, then set it to On."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/policy-admin-phish-resistant-mfa"
# frameworks: ["MS.AAD.3.6v1", "CIS.M365.5.2.2.5", "NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(8)", "NIST.800-53.IA-5"]
package watchpost.checks.entra_phishing_resistant_mfa_admins

import data.watchpost.checklib_entra as entra
import rego.v1

words := {
	"does": "demands phishing-resistant MFA from all privileged roles",
	"so": "so a fake sign-in page can take over an administrator",
}

found := [policy |
	some policy in entra.policies
	reaches_administrators(policy)
	entra.all_apps(policy)
	entra.no_excluded_roles(policy)
	not entra.narrowed(policy)
	entra.demands_phishing_resistant(policy)
]

reaches_administrators(policy) if entra.covers_privileged_roles(policy)

# Everybody includes the administrators. The published reading wants the roles named.
reaches_administrators(policy) if {
	entra.all_users(policy)
	input.profile != "scuba"
}

result := entra.ca_verdict(found, entra.people_and_apps, words)
