# METADATA
# id: exp.public_groups
# title: Public Microsoft 365 groups and teams
# description: >-
#   Everyone in the tenant, in most tenants also guests, can join these groups and read their files, mail and
#   conversations without approval.
# scan: exposure
# severity: medium
# category: access_risk
# service: entra
# platforms: [m365]
# inputs: [groups/public]
# remediation:
#   - "Microsoft 365 admin center > Teams & groups > Active teams & groups > (group) > Settings: set privacy to \"Private\"."
#   - "Or in PowerShell, per group: Set-UnifiedGroup -Identity <group> -AccessType Private"
#   - "Accept groups that are meant for everyone by exempting them from this check."
# references:
#   - https://learn.microsoft.com/microsoft-365/solutions/manage-creation-of-groups
# frameworks: ["NIST.800-53.AC-3", "NIST.800-53.AC-6"]
package watchpost.checks.exp_public_groups

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

groups := [group |
	some group in work.objects("groups/public")
	lower(object.get(group, "visibility", "public")) == "public"
	not work.exempted(group, ["id", "displayName"], {"group"})
]

result := lib.failed_entities(
	sprintf("%s public (%s), so anyone in the tenant can read the content without approval", [
		work.number_of(count(groups), "group is", "groups are"),
		work.names(sort([work.text(group, ["displayName", "id"]) | some group in groups])),
	]),
	{"public": count(groups)},
	[{"group": work.text(group, ["displayName", "id"]), "visibility": "Public"} | some group in array.slice(groups, 0, 50)],
	work.entities("group", groups, ["id"], ["displayName", "id"]),
) if {
	count(groups) > 0
} else := lib.passed("No group is public, apart from accepted ones", {"public": 0}) if {
	lib.has("groups/public")
} else := work.unreadable("groups/public")
