# METADATA
# id: def.no_allowed_domains
# title: No allowed sender domains in spam policies
# description: >-
#   A sender's address is easily forged, and mail from an allowed domain skips the spam filter. The spam
#   policy that applies to all recipients must allow no domains.
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
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-spam: open the policy that applies to all recipients, Edit allowed and blocked senders and domains, and remove every allowed domain."
#   - "Or in Exchange Online PowerShell: Set-HostedContentFilterPolicy -Identity \"Default\" -AllowedSenderDomains @{}"
#   - "If mail from a sender is filtered wrongly, use the Tenant Allow/Block List, whose entries expire."
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

# Allowed domains that are not exempted. Entries are strings or objects with a name.
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

has_field(candidate) if {
	some field, _ in candidate
	field == "AllowedSenderDomains"
}

bad(candidate) if count(allowed(candidate)) > 0

good(candidate) if {
	has_field(candidate)
	count(allowed(candidate)) == 0
}

# The published reading: a bad policy counts unless a policy of an earlier tier is good.
offenders := defender.unshielded(
	[candidate | some candidate in defender.policies("spam"); good(candidate)],
	[candidate | some candidate in defender.policies("spam"); bad(candidate)],
)

result := lib.skipped("unreadable", "No spam policy was read") if {
	count(defender.policies("spam")) == 0
} else := lib.failed_entities(
	sprintf("Spam policies let mail from allowed domains bypass the filter (%s), including forged mail", [lib.join([defender.name(offender) | some offender in offenders])]),
	{"policies": [defender.shown(offender, array.concat(["Identity"], fields)) | some offender in offenders]}, [],
	[defender.entity(offender) | some offender in offenders],
) if {
	lib.scuba
	count(offenders) > 0
} else := lib.passed("No effective spam policy allows sender domains", {"policy": policy.label}) if {
	lib.scuba
} else := defender.preset_passes(policy) if {
	defender.by_preset_alone(policy)
} else := defender.unreadable(policy, fields) if {
	unreadable
} else := lib.failed_entities(
	sprintf("%s lets mail from allowed domains bypass the filter (%s), including forged mail", [defender.capital(policy.label), problem]),
	defender.detected(policy, fields), [], [defender.entity(row)],
) if {
	bad(row)
} else := lib.passed(sprintf("%s allows no sender domains", [defender.capital(policy.label)]), defender.detected(policy, fields))

unreadable if count(policy.rows) == 0

unreadable if not has_field(row)

problem := lib.join(allowed(row))
