# METADATA
# id: exo.modern_auth
# title: Modern authentication is on
# description: >-
#   Outlook clients need modern authentication so that multi-factor authentication and Conditional Access
#   apply to them.
# scan: compliance
# severity: high
# service: exchange
# platforms: [m365]
# inputs: [exchange/OrganizationConfig]
# remediation:
#   - "In Exchange Online PowerShell: Set-OrganizationConfig -OAuth2ClientProfileEnabled $true"
#   - "Clients use it from their next sign-in on. Check that no Outlook version older than 2016 is left."
# references:
#   - "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/enable-or-disable-modern-authentication-in-exchange-online"
# frameworks: ["CIS.M365.6.5.1", "NIST.800-53.IA-2"]
package watchpost.checks.exo_modern_auth

import rego.v1

import data.watchpost.checklib_exchange as exchange

result := exchange.switch("exchange/OrganizationConfig", "OAuth2ClientProfileEnabled", {"good": true, "bad": false}, {
	"failed": "Modern authentication is off for Exchange Online (OAuth2ClientProfileEnabled is false), so Outlook signs in without multi-factor authentication",
	"passed": "Modern authentication is on for Exchange Online",
})
