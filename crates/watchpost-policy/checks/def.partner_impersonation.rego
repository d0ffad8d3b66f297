# METADATA
# id: def.partner_impersonation
# title: Partner domains are protected from impersonation
# description: >-
#   People trust mail from a domain that looks like a supplier's. The anti-phishing policy that applies to
#   all recipients must list the domains of important partners.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# inputs:
#   - exchange/AntiPhishPolicy
#   - exchange/AntiPhishRule
#   - exchange/EOPProtectionPolicyRule
#   - exchange/AcceptedDomain
# optional_inputs: [licenses/features]
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-phishing: open the policy that applies to all recipients, Edit protection settings, enable domains to protect, include custom domains, add them."
#   - "Then Edit actions: quarantine the message or move it to the Junk Email folder."
#   - "Or in Exchange Online PowerShell: Set-AntiPhishPolicy -Identity \"<policy>\" -EnableTargetedDomainsProtection $true -TargetedDomainsToProtect @{Add=\"domain\"} -TargetedDomainProtectionAction Quarantine"
# references:
#   - "https://learn.microsoft.com/defender-office-365/anti-phishing-policies-mdo-configure"
# frameworks: ["MS.SECURITYSUITE.2.3v1", "NIST.800-53.SI-8"]
# params:
#   partner_domains: []
package watchpost.checks.def_partner_impersonation

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

wanted := defender.trimmed(defender.param("partner_domains"))

policy := defender.effective("phishing")

fields := ["Enabled", "EnableTargetedDomainsProtection", "TargetedDomainsToProtect", "TargetedDomainProtectionAction"]

# Candidates that act on every partner domain that was configured.
good := [candidate |
	some candidate in defender.phishing_candidates
	candidate.EnableTargetedDomainsProtection == true
	count(wanted - defender.trimmed(lib.list(candidate, "TargetedDomainsToProtect"))) == 0
	defender.acts(candidate, "TargetedDomainProtectionAction")
]

row := policy.rows[0]

unprotected := wanted - defender.trimmed(lib.list(row, "TargetedDomainsToProtect"))

detected := {"policy": policy.label, "policies": [defender.shown(candidate, fields) |
	some candidate in defender.phishing_candidates
]}

unlicensed if lib.feature("defender") == false

result := defender.no_defender if {
	unlicensed
} else := lib.failed("No partner domains are configured for this check, so it is unknown whether they are protected", {"configured": []}, []) if {
	lib.scuba
	count(wanted) == 0
} else := lib.skipped(
	"manual",
	"Set the parameter `partner_domains` to the most important partner domains, or review the anti-phishing policies yourself",
) if {
	count(wanted) == 0
} else := lib.passed("Every configured partner domain is protected from impersonation", detected) if {
	count(good) > 0
} else := lib.failed(
	"No anti-phishing policy that reaches every recipient protects all configured partner domains, so mail that imitates them is delivered",
	detected, [],
) if {
	lib.scuba
} else := defender.unreadable(policy, fields) if {
	defender.unknown(policy, ["Enabled", "EnableTargetedDomainsProtection"])
} else := lib.failed_entities(
	sprintf("In %s, impersonation protection is off for partner domains, so mail that imitates them is delivered", [policy.label]),
	detected, [], [defender.entity(row)],
) if {
	not on
} else := defender.unreadable(policy, ["TargetedDomainsToProtect"]) if {
	defender.unlisted(policy, "TargetedDomainsToProtect")
} else := lib.failed_entities(
	sprintf("%s doesn't protect %s from impersonation, so such mail is delivered", [
		defender.capital(policy.label),
		lib.join(unprotected),
	]),
	detected, [{"unprotected": [name | some name in unprotected]}], [defender.entity(row)],
) if {
	count(unprotected) > 0
} else := defender.unreadable(policy, ["TargetedDomainProtectionAction"]) if {
	defender.text(row, "TargetedDomainProtectionAction") == ""
} else := lib.failed_entities(
	sprintf("%s detects mail that imitates configured partner domains but still delivers it: its action is %s", [
		defender.capital(policy.label),
		lib.short(object.get(row, "TargetedDomainProtectionAction", null)),
	]),
	detected, [], [defender.entity(row)],
)

on if {
	row.Enabled == true
	row.EnableTargetedDomainsProtection == true
}
