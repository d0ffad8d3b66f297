# METADATA
# id: def.spam_not_inbox
# title: Spam and phishing stay out of the inbox
# description: >-
#   Mail that the filter recognizes as spam or phishing must not reach the inbox. The spam policy that
#   applies to all recipients must move, quarantine, redirect or delete it.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# inputs:
#   - exchange/HostedContentFilterPolicy
#   - exchange/HostedContentFilterRule
#   - exchange/EOPProtectionPolicyRule
#   - exchange/AcceptedDomain
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-spam: open the policy that applies to all recipients, Edit actions: Move message to Junk Email folder or Quarantine message for each of spam, high confidence spam, phishing and high confidence phishing."
#   - "Or in Exchange Online PowerShell: Set-HostedContentFilterPolicy -Identity \"Default\" -SpamAction MoveToJmf -HighConfidenceSpamAction Quarantine -PhishSpamAction Quarantine -HighConfidencePhishAction Quarantine"
# references:
#   - "https://learn.microsoft.com/defender-office-365/anti-spam-policies-configure"
# frameworks: ["MS.SECURITYSUITE.6.1v1", "MS.EXO.14.1v2", "MS.EXO.14.2v1", "NIST.800-53.SI-8"]
package watchpost.checks.def_spam_not_inbox

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

policy := defender.effective("spam")

fields := ["SpamAction", "HighConfidenceSpamAction", "PhishSpamAction", "HighConfidencePhishAction"]

row := policy.rows[0]

allowed := {"MoveToJmf", "Quarantine", "Redirect", "Delete"}

# The actions of a policy for the kinds of mail; undefined unless the policy has an action for each kind.
actions(candidate) := {candidate[field] | some field in fields} if count(defender.lacking(candidate, fields)) == 0

bad(candidate) if count(actions(candidate) - allowed) > 0

good(candidate) if count(actions(candidate) - allowed) == 0

# The published reading: a bad policy counts unless a policy of an earlier tier is good.
offenders := defender.unshielded(
	[candidate | some candidate in defender.policies("spam"); good(candidate)],
	[candidate | some candidate in defender.policies("spam"); bad(candidate)],
)

result := lib.skipped("unreadable", "No spam policy was read") if {
	count(defender.policies("spam")) == 0
} else := lib.failed_entities(
	sprintf("Spam policies let recognized spam or phishing into the inbox (%s), where people open it", [lib.join([defender.name(offender) | some offender in offenders])]),
	{"policies": [defender.shown(offender, array.concat(["Identity"], fields)) | some offender in offenders]}, [],
	[defender.entity(offender) | some offender in offenders],
) if {
	lib.scuba
	count(offenders) > 0
} else := lib.passed("Recognized spam and phishing stay out of the inbox", {"policy": policy.label}) if {
	lib.scuba
} else := defender.preset_passes(policy) if {
	defender.by_preset_alone(policy)
} else := defender.unreadable(policy, fields) if {
	unreadable
} else := lib.failed_entities(
	sprintf("%s lets recognized spam or phishing into the inbox (%s), where people open it", [defender.capital(policy.label), problem]),
	defender.detected(policy, fields), [], [defender.entity(row)],
) if {
	bad(row)
} else := lib.passed(sprintf("%s keeps recognized spam and phishing out of the inbox", [defender.capital(policy.label)]), defender.detected(policy, fields))

unreadable if defender.unknown(policy, fields)

problem := lib.join([sprintf("%s is %s", [field, lib.short(row[field])]) | some field in fields; not row[field] in allowed])
