# METADATA
# id: pp.dlp_other_env
# title: Every other environment has a data policy
# description: >-
#   Each environment besides the default one must also be covered by a data policy, so that connectors are
#   limited wherever apps and flows run.
# scan: compliance
# severity: medium
# service: powerplatform
# platforms: [m365]
# inputs: [powerplatform/DlpPolicies]
# optional_inputs: [powerplatform/Environments]
# remediation:
#   - "Power Platform admin center > Security > Data and privacy > Data policy: extend a policy to all environments, or create one for the named environments."
#   - "Or in PowerShell, per policy: Set-DlpPolicy -PolicyName <name> -UpdatedPolicy $policy"
# references:
#   - https://learn.microsoft.com/power-platform/admin/wp-data-loss-prevention
# frameworks: ["MS.POWERPLATFORM.2.2v1", "NIST.800-53.SC-7(10)"]
package watchpost.checks.pp_dlp_other_env

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

others := [environment |
	some environment in work.pp_environments
	not environment.default == true
	not lower(environment.name) in lib.exempt("*")
]

bare := [environment |
	some environment in others
	not work.covered(environment.name)
]

for_all if {
	some policy in work.pp_policies
	policy.environmentType == "AllEnvironments"
}

detected := {"environments": count(others), "without": work.first([environment.name | some environment in bare])}

result := work.unreadable(work.pp_dlp_path) if {
	not lib.has(work.pp_dlp_path)
} else := lib.passed("A data policy covers every environment", detected) if {
	for_all
} else := lib.failed(
	"There is no data policy, so apps and flows in every environment can send company data to any service",
	detected,
	[{"policies": 0, "environments": count(others)}],
) if {
	count(work.pp_policies) == 0
} else := work.pp_vague_verdict if {
	count(bare) > 0
	work.pp_vague_verdict
} else := lib.failed_entities(
	sprintf("%s without a data policy (%s), so apps and flows there can send company data to any service", [
		work.number_of(count(bare), "environment is", "environments are"),
		work.names(sort([environment.title | some environment in bare])),
	]),
	detected,
	[{"environment": environment.name} | some environment in array.slice(bare, 0, 50)],
	work.first([{"type": "environment", "id": environment.name, "name": environment.title} | some environment in bare]),
) if {
	count(bare) > 0
} else := lib.skipped("not_applicable", "There is no environment besides the default one") if {
	lib.has(work.pp_environments_path)
	count(others) == 0
} else := lib.passed(sprintf("%s covered by a data policy", [work.number_of(count(others), "other environment is", "other environments are")]), detected) if {
	count(others) > 0
} else := work.unreadable(work.pp_environments_path)
