# METADATA
# id: entra.high_risk_user_notice
# title: Administrators are notified of high-risk users
# description: >-
#   Entra ID Protection can send mail to a monitored address when an account is rated as high risk. Microsoft
#   offers no interface to read this setting, so a person has to check it.
# scan: compliance
# severity: low
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: []
# manual: true
# remediation:
#   - "Entra admin center > Protection > Identity Protection > Users at risk detected alerts."
#   - "Set the alert level to High, add a mailbox that the security team monitors, and save."
# references:
#   - "https://learn.microsoft.com/en-us/entra/id-protection/howto-identity-protection-configure-notifications"
# frameworks: ["MS.AAD.2.2v1", "NIST.800-53.AC-2(12)"]
package watchpost.checks.entra_high_risk_user_notice

import data.watchpost.checklib as lib
import rego.v1

result := lib.skipped("manual", "Check Protection > Identity Protection > Users at risk detected alerts: the alert must go to a monitored mailbox")
