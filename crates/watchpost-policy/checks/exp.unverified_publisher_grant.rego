# METADATA
# id: exp.unverified_publisher_grant
# title: App from an unverified publisher can read mail or files
# description: >-
#   An app from another organization, whose publisher Microsoft has not verified, can read mail, files, sites
#   or chats. This is the usual pattern of consent phishing.
# scan: exposure
# severity: high
# category: shadow_it
# service: entra
# platforms: [m365]
# over: apps
# inputs: []
# remediation:
#   - "Ask the people who consented how they came across the app."
#   - "Entra admin center > Enterprise applications > (app): revoke its permissions and disable it; check the mailboxes that it could read."
#   - "Entra admin center > Enterprise applications > Consent and permissions: allow user consent only for verified publishers."
# references:
#   - https://learn.microsoft.com/entra/identity/enterprise-apps/configure-user-consent
# frameworks: ["NIST.800-53.CM-7(5)", "NIST.800-53.SR-3"]
package watchpost.checks.exp_unverified_publisher_grant

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# The apps in scope, those of them that fail, and the unreadable datasets of the others.
pool := [app |
	some app in input.apps
	work.foreign_app(app)
	object.get(app, "own_registration", null) == false
	object.get(app, "publisher_verified", null) == false
]

bad := [app |
	some app in pool
	fails(app)
]

unknown := [dataset |
	some app in pool
	not fails(app)
	some dataset in work.app_unread(app, ["apps", "grants", "app_grants"])
]

result := lib.failed_entities(
	sprintf("%s can read mail, files or chats (%s), so unknown parties can read company data", [
		work.number_of(count(bad), "app from an unverified publisher", "apps from unverified publishers"),
		work.names(sort([app.name | some app in bad])),
	]),
	{"apps": count(bad)},
	[{"app": app.name, "publisher": object.get(app, "publisher", null), "scopes": array.slice(sort(content_scopes(app)), 0, 20)} | some app in array.slice(bad, 0, 50)],
	work.first([{"type": "app", "id": app.id, "name": app.name} | some app in bad]),
) if {
	count(bad) > 0
} else := lib.skipped("unreadable", sprintf("%s could not be read", [concat(" and ", {dataset | some dataset in unknown})])) if {
	count(unknown) > 0
} else := lib.passed("Apps from unverified publishers have no access to mail, files or chats", {"apps": 0}) if {
	count(pool) > 0
} else := lib.skipped("not_applicable", "There is no app from an unverified publisher")

fails(app) if count(content_scopes(app)) > 0

# Readable permissions for mail, files, sites and chats. A permission may have its resource before a slash.
content_scopes(app) := {scope |
	some kind, scopes in object.get(app, "scopes", {})
	work.kind_known(app, kind)
	some scope in scopes
	content(scope)
}

content(scope) if {
	parts := split(lower(scope), "/")
	name := parts[count(parts) - 1]
	some start in {"mail.", "files.", "sites.", "chat.", "channelmessage.", "imap.", "pop.", "smtp.", "ews.", "full_access_as"}
	startswith(name, start)
}
