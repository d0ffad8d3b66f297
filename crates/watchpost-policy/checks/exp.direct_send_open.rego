# METADATA
# id: exp.direct_send_open
# condition: exo.direct_send_rejected
# title: Unauthenticated mail is accepted as internal
# description: >-
#   Anyone on the internet can submit mail to Exchange Online that claims to come from the company's own
#   domain, without signing in. Phishing sent this way looks like a colleague's message.
# scan: exposure
# severity: medium
# service: exchange
# platforms: [m365]
# inputs: [exchange/OrganizationConfig]
# remediation:
#   - "Find devices and services that send this way (Exchange admin center > Reports > Mail flow) and give them a connector."
#   - "PowerShell: Set-OrganizationConfig -RejectDirectSend $true"
# references:
#   - https://learn.microsoft.com/powershell/module/exchange/set-organizationconfig
# frameworks: ["NIST.800-53.SI-8", "NIST.800-53.SC-7"]
package watchpost.checks.exp_direct_send_open

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

rejects := lib.one("exchange/OrganizationConfig").RejectDirectSend

result := lib.failed(
	"Exchange Online accepts unauthenticated mail from the company's own domains, so phishing from outside looks like a colleague's message",
	{"RejectDirectSend": false},
	[{"setting": "RejectDirectSend", "value": false, "wanted": true}],
) if {
	rejects == false
} else := lib.passed("Unauthenticated mail from the company's own domains is rejected", {"RejectDirectSend": true}) if {
	rejects == true
} else := work.lacks("exchange/OrganizationConfig", ["RejectDirectSend"])
