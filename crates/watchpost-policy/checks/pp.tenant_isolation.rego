# METADATA
# id: pp.tenant_isolation
# title: Tenant isolation is on
# description: >-
#   Apps and flows must be able to connect to other tenants, and other tenants to this one, only where a rule
#   allows it. Otherwise a flow that is signed in to another tenant can carry data out despite every data
#   policy.
# scan: compliance
# severity: high
# service: powerplatform
# platforms: [m365]
# inputs: [powerplatform/TenantIsolationPolicy]
# remediation:
#   - "Power Platform admin center > Security > Identity and access > Tenant isolation: turn on \"Restrict cross-tenant connections\", then add rules for the tenants that you work with."
#   - "Or in PowerShell: $p = Get-PowerAppTenantIsolationPolicy; $p.properties.isDisabled = $false; Set-PowerAppTenantIsolationPolicy -TenantIsolationPolicy $p -TenantId <tenant>"
# references:
#   - https://learn.microsoft.com/power-platform/admin/cross-tenant-restrictions
# frameworks: ["MS.POWERPLATFORM.3.1v1", "NIST.800-53.AC-3", "NIST.800-53.SC-7(5)"]
package watchpost.checks.pp_tenant_isolation

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

rows := work.objects("powerplatform/TenantIsolationPolicy")

# A tenant that never had a policy returns none, and its isolation is off.
disabled if count(rows) == 0

disabled if {
	some row in rows
	row.properties.isDisabled == true
}

known if {
	every row in rows {
		is_boolean(row.properties.isDisabled)
	}
}

why := "was never set up" if {
	count(rows) == 0
} else := "is off"

result := work.unreadable("powerplatform/TenantIsolationPolicy") if {
	not lib.has("powerplatform/TenantIsolationPolicy")
} else := lib.failed(
	sprintf("Tenant isolation %s, so apps and flows can carry data to and from any other tenant", [why]),
	{"isDisabled": true},
	[{"setting": "properties.isDisabled", "value": [object.get(object.get(row, "properties", {}), "isDisabled", null) | some row in rows], "wanted": false}],
) if {
	disabled
} else := lib.passed("Connections to other tenants are blocked unless a rule allows them", {"isDisabled": false}) if {
	known
} else := work.lacks("powerplatform/TenantIsolationPolicy", ["properties.isDisabled"])
