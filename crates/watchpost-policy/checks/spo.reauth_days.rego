# METADATA
# id: spo.reauth_days
# title: Verification code users reauthenticate within 30 days
# description: >-
#   People who open shared files with a code sent by email must prove at least every 30 days that the mailbox
#   is still theirs.
# scan: compliance
# severity: medium
# service: sharepoint
# platforms: [m365]
# inputs: []
# optional_inputs: [sharepoint/Tenant, admin/sharepoint/settings]
# remediation:
#   - "SharePoint admin center > Policies > Sharing > More external sharing settings: select \"People who use a verification code must reauthenticate after this many days\" and enter 30."
#   - "Or in PowerShell: Set-SPOTenant -EmailAttestationRequired $true -EmailAttestationReAuthDays 30"
# references:
#   - https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off
#   - https://learn.microsoft.com/powershell/module/sharepoint-online/set-spotenant
# frameworks: ["MS.SHAREPOINT.3.3v2", "CIS.M365.7.2.10", "NIST.800-53.IA-11"]
package watchpost.checks.spo_reauth_days

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

needs := ["SharingCapability", "EmailAttestationRequired", "EmailAttestationReAuthDays"]

required := work.spo.EmailAttestationRequired

days := work.spo.EmailAttestationReAuthDays

detected := {"EmailAttestationRequired": required, "EmailAttestationReAuthDays": days}

lasting := "are never asked again" if {
	required == false
} else := sprintf("are asked again only after %s", [lib.number_of(days, "day", "days")])

result := lib.skipped("not_applicable", "External sharing is off in SharePoint") if {
	work.spo_sharing == 0
	work.spo_may_skip(needs)
} else := lib.passed(sprintf("People who use a verification code must reauthenticate after %s", [lib.number_of(days, "day", "days")]), detected) if {
	work.spo_sharing in {1, 2, 3}
	required == true
	days <= 30
} else := lib.failed(
	sprintf("People who opened shared files with a verification code %s, so access outlives their mailbox", [lasting]),
	detected,
	[{"setting": "EmailAttestationRequired", "value": required, "wanted": true}, {"setting": "EmailAttestationReAuthDays", "value": days, "wanted": "at most 30"}],
) if {
	work.spo_sharing in {1, 2, 3}
	is_boolean(required)
	is_number(days)
} else := work.spo_needs(needs)
