# METADATA
# id: exp.public_groups
# title: Public Microsoft 365 groups and teams
# description: >-
#   Everybody in the tenant, in most tenants guests too, can join these groups and read their files, mail and
#   conversations without anybody agreeing.
# scan: exposure
# severity: medium
# category: access_risk
# service: entra
# platforms: [m365]
# inputs: [groups/public]
# remediation:
#   - "Microsoft 365 admin center > Teams & groups > Active teams & groups > (group) > Settings: set privacy to \"Private\"."
#   - "Or in PowerShell, per group: Set-UnifiedGroup -Identity <group> -AccessType Private"
#   - "Accept groups that are meant for everybody by exempting them from this check."
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
	sprintf("%s public (%s), so anybody in the tenant reads what is in them without asking", [
		work.number_of(count(groups), "group is", "groups are"),
		work.names(sort([work.text(group, ["displayName", "id"]) | some group in groups])),
	]),
	{"public": count(groups)},
	[{"group": work.text(group, ["displayName", "id"]), "visibility": "Public"} | some group in array.slice(groups, 0, 50)],
	work.entities("group", groups, ["id"], ["displayName", "id"]),
) if {
	count(groups) > 0
} else := lib.passed("No group is public besides accepted ones", {"public": 0}) if {
	lib.has("groups/public")
} else := work.unreadable("groups/public")
