# METADATA
# id: exp.github_public_repo
# title: Public repository that was not accepted
# description: >-
#   Anyone on the internet can read these repositories with their whole history. Repositories that are meant
#   to be public are accepted by name.
# scan: exposure
# severity: medium
# service: github
# platforms: [github]
# inputs: [orgs/repos]
# remediation:
#   - "GitHub > (repository) > Settings > General > Danger Zone: change the visibility to private, after rotating the secrets in its history."
#   - "Accept repositories that are meant to be public by name."
#   - "Organization settings > Member privileges: let only owners change the visibility."
# references:
#   - https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/managing-repository-settings/setting-repository-visibility
# frameworks: ["NIST.800-53.AC-22", "NIST.800-53.AC-3"]
# params:
#   accepted_repositories: []
package watchpost.checks.exp_github_public_repo

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# Rows of https://api.github.com/orgs/{org}/repos.
bad := [row |
	some row in work.objects("orgs/repos")
	row.visibility == "public"
	object.get(row, "archived", false) != true
	not lower(work.text(row, ["full_name", "name"])) in lib.lower_set(input.params.accepted_repositories)
	not work.exempted(row, ["full_name", "id", "name"], {"repository"})
]

result := lib.failed_entities(
	sprintf("%s public but not accepted (%s), so anyone on the internet can read code and history", [
		work.number_of(count(bad), "repository is", "repositories are"),
		work.names(sort([work.text(row, ["full_name", "name"]) | some row in bad])),
	]),
	{"count": count(bad)},
	[{"repository": work.text(row, ["full_name", "name"]), "visibility": "public"} | some row in array.slice(bad, 0, 50)],
	work.entities("repository", bad, ["full_name", "id", "name"], ["full_name", "name"]),
) if {
	count(bad) > 0
} else := lib.passed("No repository is public, apart from accepted ones", {"count": 0}) if {
	lib.has("orgs/repos")
} else := work.unreadable("orgs/repos")
