# METADATA
# id: def.user_impersonation
# title: Sensitive users are protected from impersonation
# description: >-
#   Most payment fraud starts with mail that pretends to come from an executive or from accounting. The
#   anti-phishing policy that applies to all recipients must list the people whom attackers are likely to
#   imitate.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# inputs:
#   - exchange/AntiPhishPolicy
#   - exchange/AntiPhishRule
#   - exchange/EOPProtectionPolicyRule
#   - exchange/AcceptedDomain
# optional_inputs: [licenses/features]
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-phishing: open the policy that applies to all recipients, Edit protection settings, enable users to protect, add the people."
#   - "Then Edit actions: quarantine the message or move it to the Junk Email folder."
#   - "Or in Exchange Online PowerShell: Set-AntiPhishPolicy -Identity \"<policy>\" -EnableTargetedUserProtection $true -TargetedUsersToProtect @{Add=\"Name;address\"} -TargetedUserProtectionAction Quarantine"
# references:
#   - "https://learn.microsoft.com/defender-office-365/anti-phishing-policies-mdo-configure"
# frameworks: ["MS.SECURITYSUITE.2.1v1", "MS.EXO.11.1v1", "CIS.M365.2.1.7", "NIST.800-53.SI-8"]
# params:
#   sensitive_users: []
package watchpost.checks.def_user_impersonation

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

wanted := defender.addresses(defender.param("sensitive_users"))

policy := defender.effective("phishing")

fields := ["Enabled", "EnableTargetedUserProtection", "TargetedUsersToProtect", "TargetedUserProtectionAction"]

# Candidates that act on every sensitive user that was configured.
good := [candidate |
	some candidate in defender.phishing_candidates
	candidate.EnableTargetedUserProtection == true
	count(wanted - defender.addresses(lib.list(candidate, "TargetedUsersToProtect"))) == 0
	defender.acts(candidate, "TargetedUserProtectionAction")
]

row := policy.rows[0]

unprotected := wanted - defender.addresses(lib.list(row, "TargetedUsersToProtect"))

detected := {"policy": policy.label, "policies": [defender.shown(candidate, fields) |
	some candidate in defender.phishing_candidates
]}

unlicensed if lib.feature("defender") == false

result := defender.no_defender if {
	unlicensed
} else := lib.failed("No sensitive users are configured for this check, so it is unknown whether they are protected", {"configured": []}, []) if {
	lib.scuba
	count(wanted) == 0
} else := lib.skipped(
	"manual",
	"Set the parameter `sensitive_users` to the users whom attackers are most likely to imitate, or review the anti-phishing policies yourself",
) if {
	count(wanted) == 0
} else := lib.passed("Every configured sensitive user is protected from impersonation", detected) if {
	count(good) > 0
} else := lib.failed(
	"No anti-phishing policy that reaches every recipient protects all configured sensitive users, so mail that imitates them is delivered",
	detected, [],
) if {
	lib.scuba
} else := defender.unreadable(policy, fields) if {
	defender.unknown(policy, ["Enabled", "EnableTargetedUserProtection"])
} else := lib.failed_entities(
	sprintf("In %s, impersonation protection is off for sensitive users, so mail that imitates them is delivered", [policy.label]),
	detected, [], [defender.entity(row)],
) if {
	not on
} else := defender.unreadable(policy, ["TargetedUsersToProtect"]) if {
	defender.unlisted(policy, "TargetedUsersToProtect")
} else := lib.failed_entities(
	sprintf("%s doesn't protect %s from impersonation, so such mail is delivered", [
		defender.capital(policy.label),
		lib.join(unprotected),
	]),
	detected, [{"unprotected": [name | some name in unprotected]}], [defender.entity(row)],
) if {
	count(unprotected) > 0
} else := defender.unreadable(policy, ["TargetedUserProtectionAction"]) if {
	defender.text(row, "TargetedUserProtectionAction") == ""
} else := lib.failed_entities(
	sprintf("%s detects mail that imitates configured sensitive users but still delivers it: its action is %s", [
		defender.capital(policy.label),
		lib.short(object.get(row, "TargetedUserProtectionAction", null)),
	]),
	detected, [], [defender.entity(row)],
)

on if {
	row.Enabled == true
	row.EnableTargetedUserProtection == true
}
