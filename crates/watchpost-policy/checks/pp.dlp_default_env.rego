# METADATA
# id: pp.dlp_default_env
# title: A data policy covers the default environment
# description: >-
#   At least one data policy must apply to the default environment, where everyone in the tenant is a maker.
#   Without one, any app or flow there can combine company data with any external service.
# scan: compliance
# severity: high
# service: powerplatform
# platforms: [m365]
# inputs: [powerplatform/DlpPolicies]
# optional_inputs: [powerplatform/Environments]
# remediation:
#   - "Power Platform admin center > Security > Data and privacy > Data policy: create a policy whose scope is all environments or names the default one, and put every connector that the business doesn't need into \"Blocked\"."
#   - "Or in PowerShell: New-DlpPolicy -DisplayName \"Default environment\" -EnvironmentType OnlyEnvironments -Environments $env"
# references:
#   - https://learn.microsoft.com/power-platform/admin/wp-data-loss-prevention
# frameworks: ["MS.POWERPLATFORM.2.1v1", "NIST.800-53.SC-7(10)"]
package watchpost.checks.pp_dlp_default_env

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

covering := [work.policy_title(policy) |
	some policy in work.pp_policies
	work.covers(policy, work.default_environment)
]

policies := [{"policy": work.policy_title(policy), "environmentType": object.get(policy, "environmentType", null)} |
	some policy in array.slice(work.pp_policies, 0, 50)
]

result := work.unreadable(work.pp_dlp_path) if {
	not lib.has(work.pp_dlp_path)
} else := lib.passed(sprintf("The default environment is covered by %s", [work.names(covering)]), {"policies": work.first(covering)}) if {
	count(covering) > 0
} else := lib.skipped("unreadable", "The name of the default environment is unknown") if {
	not work.default_environment
} else := work.pp_vague_verdict if {
	work.pp_vague_verdict
} else := lib.failed_entities(
	sprintf("No data policy covers the default environment (%s checked), so anyone's apps and flows there can send company data to any service", [work.number_of(count(policies), "policy", "policies")]),
	{"environment": work.default_environment, "policies": count(policies)},
	policies,
	[{"type": "environment", "id": work.default_environment, "name": work.default_environment}],
)
