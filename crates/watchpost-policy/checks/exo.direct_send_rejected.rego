# METADATA
# id: exo.direct_send_rejected
# title: Unauthenticated Direct Send is rejected
# description: >-
#   Direct Send accepts unauthenticated mail from anyone on the internet that claims to come from your own
#   domains. Attackers use it for phishing that looks like internal mail.
# scan: compliance
# severity: medium
# service: exchange
# platforms: [m365]
# inputs: [exchange/OrganizationConfig]
# remediation:
#   - "Find devices and services that send this way: Defender portal, Explorer, filter on your own sender domain without a connector."
#   - "Give them an inbound connector tied to a certificate or an IP address: New-InboundConnector"
#   - "In Exchange Online PowerShell: Set-OrganizationConfig -RejectDirectSend $true"
# references:
#   - "https://learn.microsoft.com/powershell/module/exchange/set-organizationconfig"
# frameworks: ["CIS.M365.6.5.5", "NIST.800-53.SI-8"]
package watchpost.checks.exo_direct_send_rejected

import rego.v1

import data.watchpost.checklib_exchange as exchange

result := exchange.switch("exchange/OrganizationConfig", "RejectDirectSend", {"good": true, "bad": false}, {
	"failed": "Exchange Online accepts unauthenticated mail that claims to come from your own domains (RejectDirectSend is false), so outsiders can send mail that looks internal",
	"passed": "Unauthenticated Direct Send is rejected",
})
