# METADATA
# id: exo.mailbox_audit
# title: Mailbox auditing is on
# description: >-
#   Mailbox auditing records who opened, sent and deleted mail in which mailbox. Without it, no one can tell
#   after a break-in what was read.
# scan: compliance
# severity: high
# service: exchange
# platforms: [m365]
# inputs: [exchange/OrganizationConfig]
# remediation:
#   - "In Exchange Online PowerShell: Set-OrganizationConfig -AuditDisabled $false"
#   - "Check that no mailbox bypasses it: Get-MailboxAuditBypassAssociation -ResultSize Unlimited | where AuditBypassEnabled"
# references:
#   - "https://learn.microsoft.com/purview/audit-mailboxes"
# frameworks: ["MS.EXO.13.1v1", "CIS.M365.6.1.1", "NIST.800-53.AU-12c"]
package watchpost.checks.exo_mailbox_audit

import rego.v1

import data.watchpost.checklib_exchange as exchange

result := exchange.switch("exchange/OrganizationConfig", "AuditDisabled", {"good": false, "bad": true}, {
	"failed": "Mailbox auditing is off for the whole organization (AuditDisabled is true), so no one can find out later who read or deleted mail",
	"passed": "Mailbox auditing is on for the organization",
})
