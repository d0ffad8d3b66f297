# METADATA
# id: exo.customer_lockbox
# title: Customer Lockbox is on
# description: >-
#   With Customer Lockbox, Microsoft engineers need your approval before they can access your content during
#   support.
# scan: compliance
# severity: low
# service: exchange
# platforms: [m365]
# inputs: [exchange/OrganizationConfig]
# remediation:
#   - "Microsoft 365 admin center, Settings, Org settings, Security & privacy, Customer lockbox: require approval."
#   - "Or in Exchange Online PowerShell: Set-OrganizationConfig -CustomerLockboxEnabled $true"
# references:
#   - "https://learn.microsoft.com/purview/customer-lockbox-requests"
# frameworks: ["CIS.M365.1.3.6", "NIST.800-53.AC-3"]
package watchpost.checks.exo_customer_lockbox

import rego.v1

import data.watchpost.checklib_exchange as exchange

result := exchange.switch("exchange/OrganizationConfig", "CustomerLockBoxEnabled", {"good": true, "bad": false}, {
	"failed": "Customer Lockbox is off (CustomerLockBoxEnabled is false), so Microsoft support can access your content without your approval",
	"passed": "Customer Lockbox is on",
})
