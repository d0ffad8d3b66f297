# METADATA
# id: exo.direct_send_rejected
# title: Unauthenticated Direct Send is rejected
# description: >-
#   Direct Send takes mail from anybody on the internet that claims to come from your own domains, without sign-
#   in. Attackers use it for internal-looking phishing.
# scan: compliance
# severity: medium
# service: exchange
# platforms: [m365]
# inputs: [exchange/OrganizationConfig]
# remediation:
#   - "Find devices and services that send this way: Defender portal, Explorer, filter on your own sender domain without a connector."
#   - "Give them an inbound connector tied to a certificate or an address: New-InboundConnector"
#   - "In Exchange Online PowerShell: Set-OrganizationConfig -RejectDirectSend $true"
# references:
#   - "https://learn.microsoft.com/powershell/module/exchange/set-organizationconfig"
# frameworks: ["CIS.M365.6.5.5", "NIST.800-53.SI-8"]
package watchpost.checks.exo_direct_send_rejected

import rego.v1

import data.watchpost.checklib_exchange as exchange

result := exchange.switch("exchange/OrganizationConfig", "RejectDirectSend", {"good": true, "bad": false}, {
	"failed": "Exchange Online takes unauthenticated mail that claims to come from your own domains (RejectDirectSend is false), so strangers can send what looks like internal mail",
	"passed": "Unauthenticated Direct Send is rejected.",
})
