# METADATA
# id: legacy.ms_powerplatform_2_3
# title: Only Microsoft connectors in the default environment
# description: >-
#   A former baseline: data policies for the default environment must block every connector except
#   Microsoft's own. Only policies that name the default environment count.
# scan: compliance
# variant_of: pp.dlp_default_env
# severity: medium
# service: powerplatform
# platforms: [m365]
# inputs: [powerplatform/DlpPolicies]
# remediation:
#   - "Power Platform admin center > Security > Data policy: move every named connector to \"Blocked\"."
# references:
#   - https://learn.microsoft.com/power-platform/admin/wp-data-loss-prevention
# frameworks: ["MS.POWERPLATFORM.2.3v1"]
package watchpost.checks.legacy_ms_powerplatform_2_3

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# Microsoft's own connectors, which can't be blocked or need not be.
own := {
	"shared_powervirtualagents",
	"shared_sharepointonline",
	"shared_onedriveforbusiness",
	"shared_approvals",
	"shared_cloudappsecurity",
	"shared_commondataservice",
	"shared_commondataserviceforapps",
	"shared_excelonlinebusiness",
	"shared_flowpush",
	"shared_kaizala",
	"shared_microsoftformspro",
	"shared_office365",
	"shared_office365groups",
	"shared_office365groupsmail",
	"shared_office365users",
	"shared_onenote",
	"shared_planner",
	"shared_powerappsnotification",
	"shared_powerappsnotificationv2",
	"shared_powerbi",
	"shared_shifts",
	"shared_skypeforbiz",
	"shared_teams",
	"shared_todo",
	"shared_yammer",
}

prefix := "/providers/Microsoft.PowerApps/apis/"

allowed_ids := {concat("", [prefix, name]) | some name in own}

# Connectors that a policy for the default environment leaves usable.
usable := {connector.id |
	some policy in work.pp_policies
	lower(work.default_environment) in work.listed(policy)
	some group in lib.as_list(object.get(policy, "connectorGroups", []))
	group.classification in {"General", "Confidential"}
	some connector in lib.as_list(object.get(group, "connectors", []))
	is_string(connector.id)
}

foreign := sort(usable - allowed_ids)

result := work.unreadable(work.pp_dlp_path) if {
	not lib.has(work.pp_dlp_path)
} else := lib.failed(
	"There is no data policy, so every connector can be used in the default environment",
	{"policies": 0},
	[],
) if {
	count(work.pp_policies) == 0
} else := lib.failed(
	sprintf("Data policies don't block %s in the default environment that should be blocked: %s", [
		work.number_of(count(foreign), "connector", "connectors"),
		work.names([trim_prefix(id, prefix) | some id in foreign]),
	]),
	{"connectors": work.first(foreign)},
	[{"connector": id} | some id in array.slice(foreign, 0, 50)],
) if {
	count(foreign) > 0
} else := lib.passed("Every connector except Microsoft's own is blocked in the default environment", {"connectors": []})
