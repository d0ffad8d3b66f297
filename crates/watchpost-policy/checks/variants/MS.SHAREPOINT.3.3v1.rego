# METADATA
# id: legacy.ms_sharepoint_3_3v1
# title: Verification codes expire where new guests are allowed
# description: >-
#   A former baseline: like the current one, but it does not apply where only existing guests are allowed.
# scan: compliance
# variant_of: spo.reauth_days
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: [sharepoint/Tenant]
# remediation:
#   - "Set-SPOTenant -EmailAttestationRequired $true -EmailAttestationReAuthDays 30"
# references:
#   - https://learn.microsoft.com/powershell/module/sharepoint-online/set-spotenant
# frameworks: ["MS.SHAREPOINT.3.3v1"]
package watchpost.checks.legacy_ms_sharepoint_3_3v1

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

needs := ["SharingCapability", "EmailAttestationRequired", "EmailAttestationReAuthDays"]

required := work.spo.EmailAttestationRequired

days := work.spo.EmailAttestationReAuthDays

detected := {"EmailAttestationRequired": required, "EmailAttestationReAuthDays": days}

result := lib.skipped("not_applicable", "SharePoint allows no new guests") if {
	work.spo_sharing in {0, 3}
} else := lib.passed(sprintf("People who use a verification code must reauthenticate after %s", [lib.number_of(days, "day", "days")]), detected) if {
	work.spo_sharing in {1, 2}
	required == true
	days <= 30
} else := lib.failed(
	"People who opened shared files with a verification code are not asked again within 30 days, so access outlives their mailbox",
	detected,
	[{"setting": "EmailAttestationRequired", "value": required, "wanted": true}, {"setting": "EmailAttestationReAuthDays", "value": days, "wanted": "at most 30"}],
) if {
	work.spo_sharing in {1, 2}
	is_boolean(required)
	is_number(days)
} else := work.spo_needs(needs)
