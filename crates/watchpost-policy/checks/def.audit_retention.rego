# METADATA
# id: def.audit_retention
# title: Audit log is kept for at least 12 months
# description: >-
#   Intrusions are often discovered months later. A retention policy must keep the audit log for at least a
#   year, which requires a license with advanced auditing.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# inputs: [purview/UnifiedAuditLogRetentionPolicy]
# optional_inputs: [subscribedSkus, licenses/features]
# remediation:
#   - "Purview portal, Audit, Audit retention policies: create a policy with a duration of one year or more."
#   - "Or in Security & Compliance PowerShell: New-UnifiedAuditLogRetentionPolicy -Name \"Audit 12 months\" -RetentionDuration TwelveMonths -Priority 100 with -RecordTypes or -UserIds"
#   - "The policy applies to users with an E5 license or an add-on with advanced auditing."
# references:
#   - "https://learn.microsoft.com/purview/audit-log-retention-policies"
# frameworks: ["MS.SECURITYSUITE.5.2v1", "MS.EXO.17.3v1", "NIST.800-53.AU-11"]
package watchpost.checks.def_audit_retention

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

long := {"twelvemonths", "threeyears", "fiveyears", "sevenyears", "tenyears"}

found := lib.rows("purview/UnifiedAuditLogRetentionPolicy")

good := [policy |
	some policy in found
	lower(defender.text(policy, "RetentionDuration")) in long
	not policy.Enabled == false
]

licensed if {
	some sku in lib.rows("subscribedSkus")
	some plan in lib.list(sku, "servicePlans")
	upper(defender.text(plan, "servicePlanName")) == "M365_ADVANCED_AUDITING"
}

licensed if lib.feature("audit_advanced") == true

# Whether the tenant's licenses were read.
licenses_known if lib.has("subscribedSkus")

licenses_known if is_boolean(lib.feature("audit_advanced"))

detected := {"policies": [defender.shown(policy, ["Name", "RetentionDuration", "Enabled"]) | some policy in found]}

result := lib.skipped("unreadable", "The retention policies of the audit log weren't read") if {
	not lib.has("purview/UnifiedAuditLogRetentionPolicy")
} else := lib.skipped("unreadable", "It is unknown whether the tenant has a license with advanced auditing") if {
	not licensed
	not licenses_known
} else := lib.skipped("unlicensed", "The tenant has no license with advanced auditing, without which the audit log is kept for only 180 days") if {
	not licensed
} else := lib.passed(
	sprintf("The policy \"%s\" keeps the audit log for at least 12 months", [lib.short(defender.name(good[0]))]),
	detected,
) if {
	count(good) > 0
} else := lib.failed(
	"No retention policy keeps the audit log for 12 months or longer, so traces of an intrusion that is discovered late are gone",
	detected, [],
)
