# METADATA
# id: entra.ga_activation_alert
# title: Global Administrator activation alerts someone
# description: >-
#   Each activation of Global Administrator is rare enough to be looked at. It must send mail to a watched
#   address. This needs Entra ID P2.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [directory/privilegedRoles]
# optional_inputs: [subscribedSkus, licenses/features]
# remediation:
#   - >-
#     Entra admin center > Identity Governance > Privileged Identity Management > Microsoft Entra roles >
#     Roles > Global Administrator > Role settings > Edit > Notification.
#   - >-
#     Send notifications when eligible members activate this role: Role activation alert > Additional
#     recipients, add the watched mailbox.
# references:
#   - "https://learn.microsoft.com/en-us/entra/id-governance/privileged-identity-management/pim-email-notifications"
# frameworks: ["MS.AAD.7.8v1", "NIST.800-53.AC-6(9)"]
# params:
#   strict_license: false
package watchpost.checks.entra_ga_activation_alert

import data.watchpost.checklib_entra as entra
import rego.v1

rules := [item |
	some item in entra.role_rules([role | some role in entra.roles; entra.global_administrator(role)], {"Notification_Admin_EndUser_Assignment"})
	by_mail(item.rule)
]

result := entra.without_premium("nobody can be told") if {
	entra.premium != "yes"
} else := entra.alert_verdict(rules, {
	"when": "on activation of Global Administrator",
	"so": "so an attacker can use the role unseen",
})

by_mail(rule) if rule.notificationType == "Email"

# Mail is the only kind there is; the published reading wants to see it.
by_mail(rule) if {
	not "notificationType" in object.keys(rule)
	input.profile != "scuba"
}
