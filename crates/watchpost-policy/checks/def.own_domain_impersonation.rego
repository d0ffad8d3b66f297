# METADATA
# id: def.own_domain_impersonation
# title: Own domains are protected from impersonation
# description: >-
#   Mail from a domain that looks like the organization's own passes for a colleague's. The anti-phishing
#   policy that applies to all recipients must protect the organization's domains and must not deliver such
#   mail normally.
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
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-phishing: open the policy that applies to all recipients, Edit protection settings, enable domains to protect, include domains I own."
#   - "Or in Exchange Online PowerShell: Set-AntiPhishPolicy -Identity \"<policy>\" -EnableOrganizationDomainsProtection $true -TargetedDomainProtectionAction Quarantine"
# references:
#   - "https://learn.microsoft.com/defender-office-365/anti-phishing-policies-mdo-configure"
# frameworks: ["MS.SECURITYSUITE.2.2v1", "CIS.M365.2.1.7", "NIST.800-53.SI-8"]
package watchpost.checks.def_own_domain_impersonation

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

policy := defender.effective("phishing")

fields := ["Enabled", "EnableOrganizationDomainsProtection", "TargetedDomainProtectionAction"]

good := [candidate |
	some candidate in defender.phishing_candidates
	candidate.EnableOrganizationDomainsProtection == true
	defender.acts(candidate, "TargetedDomainProtectionAction")
]

row := policy.rows[0]

detected := {"policy": policy.label, "policies": [defender.shown(candidate, fields) |
	some candidate in defender.phishing_candidates
]}

unlicensed if lib.feature("defender") == false

on if {
	row.Enabled == true
	row.EnableOrganizationDomainsProtection == true
}

result := defender.no_defender if {
	unlicensed
} else := lib.passed("The organization's domains are protected from impersonation", detected) if {
	count(good) > 0
} else := lib.failed(
	"No anti-phishing policy that reaches every recipient protects the organization's own domains, so mail from look-alike domains is delivered",
	detected, [],
) if {
	lib.scuba
} else := defender.preset_passes(policy) if {
	defender.by_preset_alone(policy)
} else := defender.unreadable(policy, fields) if {
	defender.unknown(policy, ["Enabled", "EnableOrganizationDomainsProtection"])
} else := lib.failed_entities(
	sprintf("%s doesn't protect the organization's own domains, so mail from look-alike domains is delivered", [defender.capital(policy.label)]),
	detected, [], [defender.entity(row)],
) if {
	not on
} else := defender.unreadable(policy, ["TargetedDomainProtectionAction"]) if {
	defender.text(row, "TargetedDomainProtectionAction") == ""
} else := lib.failed_entities(
	sprintf("%s detects look-alikes of the organization's domains but still delivers their mail: its action is %s", [
		defender.capital(policy.label),
		lib.short(object.get(row, "TargetedDomainProtectionAction", null)),
	]),
	detected, [], [defender.entity(row)],
)
