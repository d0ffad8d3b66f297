# METADATA
# id: entra.other_activation_alert
# title: Activation of other privileged roles sends an alert
# description: >-
#   Activations of privileged roles other than Global Administrator should send mail to an address where
#   someone can review them. This requires Entra ID P2.
# scan: compliance
# severity: low
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [directory/privilegedRoles]
# optional_inputs: [subscribedSkus, licenses/features]
# remediation:
#   - >-
#     Entra admin center > Identity Governance > Privileged Identity Management > Microsoft Entra roles >
#     Roles > the role > Role settings > Edit > Notification.
#   - >-
#     Send notifications when eligible members activate this role: Role activation alert > Additional
#     recipients, add the monitored mailbox.
# references:
#   - "https://learn.microsoft.com/en-us/entra/id-governance/privileged-identity-management/pim-email-notifications"
# frameworks: ["MS.AAD.7.9v1", "NIST.800-53.AC-6(9)"]
# params:
#   strict_license: false
package watchpost.checks.entra_other_activation_alert

import data.watchpost.checklib_entra as entra
import rego.v1

rules := [item |
	some item in entra.role_rules([role | some role in entra.roles; entra.other_role(role)], {"Notification_Admin_EndUser_Assignment"})
	by_mail(item.rule)
]

result := entra.without_premium("no alert can be sent") if {
	entra.premium != "yes"
} else := entra.alert_verdict(rules, {
	"when": "when the role is activated",
	"so": "so an attacker can use it unnoticed",
})

by_mail(rule) if rule.notificationType == "Email"

# Email is the only type of notification. The published reading requires the field.
by_mail(rule) if {
	not "notificationType" in object.keys(rule)
	input.profile != "scuba"
}
