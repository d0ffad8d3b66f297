# METADATA
# id: entra.users_mfa_capable
# title: Every enabled member is MFA capable
# description: >-
#   A member without a registered second factor is either locked out by the policies or not covered by them,
#   and an attacker with the password can register a factor first.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [reports/mfaCapability]
# remediation:
#   - "Entra admin center > Protection > Authentication methods > User registration details: filter on Multifactor authentication capable: Not capable."
#   - "Disable accounts that no one uses. Run a registration campaign, or issue a Temporary Access Pass and have people register."
#   - "Declare service accounts and rooms as exemptions of this check, and block their interactive sign-in."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/authentication/howto-authentication-methods-activity"
# frameworks: ["CIS.M365.5.2.3.4", "NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(2)"]
package watchpost.checks.entra_users_mfa_capable

import data.watchpost.checklib as lib
import rego.v1

report := lib.one("reports/mfaCapability")

listed := lib.list(report, "accounts")

exempted(account) if lower(object.get(account, "id", "")) in lib.exempt("user")

exempted(account) if lower(object.get(account, "userPrincipalName", "")) in lib.exempt("user")

failing := [account | some account in listed; not exempted(account)]

# The list has at most 1,000 accounts; the count is complete.
missing := report.notCapable - (count(listed) - count(failing))

result := lib.skipped("unreadable", "The registration report doesn't state how many members are not MFA capable") if {
	not is_number(report.notCapable)
} else := lib.passed(sprintf("%s MFA capable or exempt", [lib.number_of(report.enabledMembers, "enabled member is", "enabled members are")]), {"enabled_members": report.enabledMembers, "not_capable": 0}) if {
	missing <= 0
} else := lib.failed_entities(
	sprintf("%s not MFA capable (of %d), so a password alone may be enough to sign in", [lib.number_of(missing, "enabled member is", "enabled members are"), report.enabledMembers]),
	{"enabled_members": report.enabledMembers, "not_capable": missing},
	[{"account": object.get(account, "userPrincipalName", "")} | some account in array.slice(failing, 0, 50)],
	[{"type": "user", "id": object.get(account, "id", ""), "name": object.get(account, "userPrincipalName", "")} | some account in failing],
)
