# METADATA
# id: spo.idle_signout
# title: Idle web sessions are signed out
# description: >-
#   An idle browser session of SharePoint and OneDrive must end after at most three hours, so that a shared
#   or forgotten computer doesn't stay signed in.
# scan: compliance
# severity: low
# service: sharepoint
# platforms: [m365]
# inputs: [admin/sharepoint/settings]
# remediation:
#   - "Microsoft 365 admin center > Settings > Org settings > Security & privacy > Idle session timeout: turn it on and set at most 3 hours."
#   - "For SharePoint alone: Set-SPOBrowserIdleSignOut -Enabled $true -WarnAfter (New-TimeSpan -Seconds 3000) -SignOutAfter (New-TimeSpan -Seconds 3600)"
# references:
#   - https://learn.microsoft.com/sharepoint/sign-out-inactive-users
# frameworks: ["CIS.M365.1.3.2", "NIST.800-53.AC-12"]
# params:
#   seconds: 10800
package watchpost.checks.spo_idle_signout

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

idle := work.spo_graph.idleSessionSignOut

seconds := idle.signOutAfterInSeconds

detected := {"isEnabled": idle.isEnabled, "signOutAfterInSeconds": object.get(idle, "signOutAfterInSeconds", null)}

wrong := "Idle browser sessions of SharePoint are never signed out" if {
	idle.isEnabled == false
} else := sprintf("Idle browser sessions of SharePoint are signed out only after %s", [lib.number_of(floor(seconds / 60), "minute", "minutes")])

result := lib.passed(sprintf("Idle sessions are signed out after %s", [lib.number_of(floor(seconds / 60), "minute", "minutes")]), detected) if {
	idle.isEnabled == true
	seconds <= input.params.seconds
} else := lib.failed(
	sprintf("%s, so an unattended computer keeps files open to anyone who passes by", [wrong]),
	detected,
	[{"setting": "idleSessionSignOut", "value": detected, "wanted": sprintf("at most %d seconds", [input.params.seconds])}],
) if {
	is_string(wrong)
} else := work.lacks(work.spo_graph_path, ["idleSessionSignOut"])
