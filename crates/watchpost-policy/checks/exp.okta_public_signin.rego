# METADATA
# id: exp.okta_public_signin
# title: Okta sign-on from anywhere without MFA
# description: >-
#   A rule of an active sign-on policy lets people sign in from any network without a second factor. A
#   guessed or stolen password is enough, from anywhere in the world.
# scan: exposure
# severity: high
# service: okta
# platforms: [okta]
# inputs: [policies/OKTA_SIGN_ON]
# remediation:
#   - "Okta admin console > Security > Global Session Policy > (policy) > (rule): set \"Multifactor authentication (MFA) is\" to \"Required\"."
#   - "Limit the rule to the network zones where people work, and add a last rule that denies everything else."
# references:
#   - https://help.okta.com/oie/en-us/content/topics/identity-engine/policies/create-okta-sign-on-policy.htm
# frameworks: ["NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(2)", "NIST.800-53.AC-17"]
package watchpost.checks.exp_okta_public_signin

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

rules := [{"policy": policy, "rule": rule} |
	some policy in work.objects("policies/OKTA_SIGN_ON")
	object.get(policy, "status", "ACTIVE") == "ACTIVE"
	some rule in lib.as_list(object.get(policy, "rules", []))
	is_object(rule)
	object.get(rule, "status", "ACTIVE") == "ACTIVE"
]

bad := [each |
	some each in rules
	each.rule.actions.signon.access == "ALLOW"
	each.rule.actions.signon.requireFactor == false
	each.rule.conditions.network.connection == "ANYWHERE"
	not work.exempted(each.rule, ["id", "name"], {"policy"})
	not work.exempted(each.policy, ["id", "name"], {"policy"})
]

label(each) := sprintf("%s of %s", [work.text(each.rule, ["name", "id"]), work.text(each.policy, ["name", "id"])])

result := lib.failed_entities(
	sprintf("%s people sign in from anywhere with one factor (%s), so a stolen password is enough", [
		work.number_of(count(bad), "sign-on rule lets", "sign-on rules let"),
		work.names(sort([label(each) | some each in bad])),
	]),
	{"rules": count(bad)},
	[{"policy": work.text(each.policy, ["name", "id"]), "rule": work.text(each.rule, ["name", "id"]), "connection": "ANYWHERE", "requireFactor": false} | some each in array.slice(bad, 0, 50)],
	work.first([{"type": "policy", "id": work.text(each.rule, ["id", "name"]), "name": label(each)} | some each in bad]),
) if {
	count(bad) > 0
} else := lib.passed("No sign-on rule lets people sign in from anywhere with one factor", {"rules": 0}) if {
	count(rules) > 0
} else := work.unreadable("policies/OKTA_SIGN_ON")
