# METADATA
# id: entra.users_mfa_capable
# title: Every enabled member is MFA capable
# description: >-
#   A member without a registered second factor is either locked out by your policies or the one whom they don't
#   reach; and an attacker with the password can register a factor first.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [reports/mfaCapability]
# remediation:
#   - >-
#     Entra admin center > Protection > Authentication methods > User registration details: filter on
#     Multifactor authentication capable: Not capable.
#   - >-
#     Disable accounts that nobody uses. Run a registration campaign, or hand out a Temporary Access Pass and
#     have people register.
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

# The list is cut at a thousand; the number is not.
missing := report.notCapable - (count(listed) - count(failing))

result := lib.skipped("unreadable", "The report on registrations doesn't tell how many members are not capable of MFA.") if {
	not is_number(report.notCapable)
} else := lib.passed(sprintf("All of %s capable of MFA or exempt", [lib.number_of(report.enabledMembers, "enabled member is", "enabled members are")]), {"enabled_members": report.enabledMembers, "not_capable": 0}) if {
	missing <= 0
} else := lib.failed_entities(
	sprintf("%d of %s not capable of MFA, so a password alone may be enough there", [missing, lib.number_of(report.enabledMembers, "enabled member is", "enabled members are")]),
	{"enabled_members": report.enabledMembers, "not_capable": missing},
	[{"account": object.get(account, "userPrincipalName", "")} | some account in array.slice(failing, 0, 50)],
	[{"type": "user", "id": object.get(account, "id", ""), "name": object.get(account, "userPrincipalName", "")} | some account in failing],
)
