# METADATA
# id: def.no_allowed_domains
# title: No allowed sender domains in spam policies
# description: >-
#   A sender's address is easily forged. Mail from an allowed domain skips the spam filter, so the spam policy that
#   counts for everybody allows none.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# inputs:
#   - exchange/HostedContentFilterPolicy
#   - exchange/HostedContentFilterRule
#   - exchange/EOPProtectionPolicyRule
#   - exchange/AcceptedDomain
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-spam: open the policy that counts for everybody, Edit allowed and blocked senders and domains, and remove every allowed domain."
#   - "Or in Exchange Online PowerShell: Set-HostedContentFilterPolicy -Identity \"Default\" -AllowedSenderDomains @{}"
#   - "For a sender that is filtered wrongly, use the Tenant Allow/Block List, whose entries expire."
# references:
#   - "https://learn.microsoft.com/defender-office-365/anti-spam-policies-configure"
# frameworks: ["MS.SECURITYSUITE.6.2v1", "MS.EXO.14.3v2", "CIS.M365.2.1.14", "NIST.800-53.SI-8"]
package watchpost.checks.def_no_allowed_domains

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

policy := defender.effective("spam")

fields := ["AllowedSenderDomains"]

row := policy.rows[0]

# Allowed domains that nobody exempted; entries are texts or objects with a name.
allowed(candidate) := {domain |
	some entry in lib.list(candidate, "AllowedSenderDomains")
	domain := domain_of(entry)
} - lib.exempt("domain")

domain_of(entry) := lower(entry) if is_string(entry)

domain_of(entry) := lower(defender.text(entry, "Domain")) if {
	is_object(entry)
	defender.text(entry, "Domain") != ""
}

domain_of(entry) := "an unnamed domain" if {
	not is_string(entry)
	defender.text(entry, "Domain") == ""
}

says(candidate) if {
	some field, _ in candidate
	field == "AllowedSenderDomains"
}

bad(candidate) if count(allowed(candidate)) > 0

good(candidate) if {
	says(candidate)
	count(allowed(candidate)) == 0
}

# The published reading: a bad policy counts unless one of a tier before it is good.
offenders := defender.unshielded(
	[candidate | some candidate in defender.policies("spam"); good(candidate)],
	[candidate | some candidate in defender.policies("spam"); bad(candidate)],
)

result := lib.skipped("unreadable", "There are no spam policies in what was read.") if {
	count(defender.policies("spam")) == 0
} else := lib.failed_entities(
	sprintf("Spam policies let mail from allowed domains past the filter (%s), forged mail included.", [lib.join([defender.name(offender) | some offender in offenders])]),
	{"policies": [defender.shown(offender, array.concat(["Identity"], fields)) | some offender in offenders]}, [],
	[defender.entity(offender) | some offender in offenders],
) if {
	lib.scuba
	count(offenders) > 0
} else := lib.passed("No spam policy that is in force allows sender domains.", {"policy": policy.label}) if {
	lib.scuba
} else := defender.preset_passes(policy) if {
	defender.by_preset_alone(policy)
} else := defender.unreadable(policy, fields) if {
	unreadable
} else := lib.failed_entities(
	sprintf("%s lets mail from allowed domains past the filter (%s), forged mail included.", [defender.capital(policy.label), problem]),
	defender.detected(policy, fields), [], [defender.entity(row)],
) if {
	bad(row)
} else := lib.passed(sprintf("%s allows no sender domains.", [defender.capital(policy.label)]), defender.detected(policy, fields))

unreadable if count(policy.rows) == 0

unreadable if not says(row)

problem := lib.join(allowed(row))
