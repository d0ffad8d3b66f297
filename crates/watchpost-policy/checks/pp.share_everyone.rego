# METADATA
# id: pp.share_everyone
# title: Sharing with Everyone is off
# description: >-
#   Sharing canvas apps with "Everyone", a group that includes guests, must be off. Otherwise one click gives
#   an app and its connections to the whole tenant.
# scan: compliance
# severity: medium
# service: powerplatform
# platforms: [m365]
# inputs: [powerplatform/TenantSettings]
# remediation:
#   - "PowerShell (the admin center has no setting for it): $s = Get-TenantSettings; $s.powerPlatform.powerApps.disableShareWithEveryone = $true; Set-TenantSettings -RequestBody $s"
# references:
#   - https://learn.microsoft.com/power-platform/admin/list-tenantsettings
# frameworks: ["MS.POWERPLATFORM.6.1v1", "NIST.800-53.AC-3", "NIST.800-53.AC-6"]
package watchpost.checks.pp_share_everyone

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# The switch of a row. An old export holds the inner object as PowerShell prints it.
off(row) := row.powerPlatform.powerApps.disableShareWithEveryone if {
	is_boolean(row.powerPlatform.powerApps.disableShareWithEveryone)
} else := true if {
	is_string(row.powerPlatform.powerApps)
	contains(row.powerPlatform.powerApps, "disableShareWithEveryone=True")
} else := false if {
	is_string(row.powerPlatform.powerApps)
	contains(row.powerPlatform.powerApps, "disableShareWithEveryone=False")
}

rows := work.objects(work.pp_settings_path)

result := lib.failed(
	"Makers can share apps with Everyone, so one click gives an app and its data to the whole tenant, including guests",
	{"disableShareWithEveryone": false},
	[{"setting": "powerPlatform.powerApps.disableShareWithEveryone", "value": false, "wanted": true}],
) if {
	count([row | some row in rows; off(row) == false]) > 0
} else := lib.passed("Apps can't be shared with Everyone", {"disableShareWithEveryone": true}) if {
	count(rows) > 0
	every row in rows {
		off(row) == true
	}
} else := work.lacks(work.pp_settings_path, ["powerPlatform.powerApps.disableShareWithEveryone"])
