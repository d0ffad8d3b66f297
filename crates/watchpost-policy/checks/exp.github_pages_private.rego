# METADATA
# id: exp.github_pages_private
# title: Private repository publishes a website
# description: >-
#   These repositories are private but publish a website. Depending on the plan, the website is public, so
#   anyone can read parts of a private repository.
# scan: exposure
# severity: low
# service: github
# platforms: [github]
# inputs: [orgs/repos]
# remediation:
#   - "GitHub > (repository) > Settings > Pages: set the visibility to private (Enterprise Cloud) or unpublish the site."
# references:
#   - https://docs.github.com/enterprise-cloud@latest/pages/getting-started-with-github-pages/changing-the-visibility-of-your-github-pages-site
# frameworks: ["NIST.800-53.AC-22"]
package watchpost.checks.exp_github_pages_private

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# Rows of https://api.github.com/orgs/{org}/repos.
bad := [row |
	some row in work.objects("orgs/repos")
	row.private == true
	row.has_pages == true
	object.get(row, "archived", false) != true
	not work.exempted(row, ["full_name", "id", "name"], {"repository"})
]

result := lib.failed_entities(
	sprintf("%s a website (%s), so parts of private code may be public", [
		work.number_of(count(bad), "private repository publishes", "private repositories publish"),
		work.names(sort([work.text(row, ["full_name", "name"]) | some row in bad])),
	]),
	{"count": count(bad)},
	[{"repository": work.text(row, ["full_name", "name"]), "has_pages": true} | some row in array.slice(bad, 0, 50)],
	work.entities("repository", bad, ["full_name", "id", "name"], ["full_name", "name"]),
) if {
	count(bad) > 0
} else := lib.passed("No private repository publishes a website", {"count": 0}) if {
	lib.has("orgs/repos")
} else := work.unreadable("orgs/repos")
