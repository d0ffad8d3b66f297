# METADATA
# id: exo.smtp_auth_off
# title: SMTP AUTH is off
# description: >-
#   SMTP AUTH lets programs send mail with only a password, and multi-factor authentication does not apply to
#   it. It should be off for the organization.
# scan: compliance
# severity: high
# service: exchange
# platforms: [m365]
# inputs: [exchange/TransportConfig]
# remediation:
#   - "Find senders that still use it: Exchange admin center, Reports, Mail flow, SMTP AUTH clients report."
#   - "Move them to OAuth, to a relay connector or to High Volume Email."
#   - "In Exchange Online PowerShell: Set-TransportConfig -SmtpClientAuthenticationDisabled $true"
#   - "If a mailbox can't do without it: Set-CASMailbox <mailbox> -SmtpClientAuthenticationDisabled $false"
# references:
#   - "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission"
# frameworks: ["MS.EXO.5.1v1", "CIS.M365.6.5.4", "NIST.800-53.CM-7"]
package watchpost.checks.exo_smtp_auth_off

import rego.v1

import data.watchpost.checklib_exchange as exchange

result := exchange.switch("exchange/TransportConfig", "SmtpClientAuthenticationDisabled", {"good": true, "bad": false}, {
	"failed": "SMTP AUTH is on for the organization (SmtpClientAuthenticationDisabled is false), so a stolen password alone is enough to send mail",
	"passed": "SMTP AUTH is off for the organization",
})
