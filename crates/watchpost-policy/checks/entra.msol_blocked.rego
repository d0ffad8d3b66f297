# METADATA
# id: entra.msol_blocked
# title: Legacy MSOnline access is blocked
# description: >-
#   The retired MSOnline PowerShell interface lets every user list the whole directory and bypasses newer
#   controls.
# scan: compliance
# severity: low
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authorizationPolicy]
# remediation:
#   - >-
#     PATCH https://graph.microsoft.com/beta/policies/authorizationPolicy/authorizationPolicy
#     {"blockMsolPowerShell": true}
#   - >-
#     Or in Microsoft Graph PowerShell: Update-MgBetaPolicyAuthorizationPolicy -AuthorizationPolicyId
#     authorizationPolicy -BlockMsolPowerShell:$true
# references:
#   - "https://learn.microsoft.com/en-us/graph/api/resources/authorizationpolicy"
# frameworks: ["NIST.800-53.CM-7"]
package watchpost.checks.entra_msol_blocked

import data.watchpost.checklib_entra as entra
import rego.v1

result := entra.switch(
	["blockMsolPowerShell"],
	true,
	"The MSOnline interface is blocked",
	"The retired MSOnline interface is open to users, so any account can list the directory and bypass newer controls",
)
