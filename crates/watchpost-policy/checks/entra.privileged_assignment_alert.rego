# METADATA
# id: entra.privileged_assignment_alert
# title: Privileged role assignments send an alert
# description: >-
#   An attacker with administrator access creates further administrators. Each new eligible or active
#   assignment of a privileged role, including through a group, must send mail to a monitored address. This
#   requires Entra ID P2.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [directory/privilegedRoles]
# optional_inputs: [subscribedSkus, licenses/features]
# remediation:
#   - "Entra admin center > Identity Governance > Privileged Identity Management > Microsoft Entra roles > Roles > the role > Role settings > Edit > Notification."
#   - "Send notifications when members are assigned as eligible, and as active: Role assignment alert > Additional recipients, add the monitored mailbox."
#   - "Do this for all eight privileged roles, and for groups that grant them (Privileged Identity Management > Groups)."
# references:
#   - "https://learn.microsoft.com/en-us/entra/id-governance/privileged-identity-management/pim-email-notifications"
# frameworks: ["MS.AAD.7.7v1", "NIST.800-53.AC-2(1)"]
# params:
#   strict_license: false
package watchpost.checks.entra_privileged_assignment_alert

import data.watchpost.checklib_entra as entra
import rego.v1

rules := entra.role_rules([role | some role in entra.roles], {"Notification_Admin_Admin_Assignment", "Notification_Admin_Admin_Eligibility"})

result := entra.without_premium("no alert can be sent") if {
	entra.premium != "yes"
} else := entra.alert_verdict(rules, {
	"when": "when the role is assigned",
	"so": "so an attacker can add administrators unnoticed",
})
