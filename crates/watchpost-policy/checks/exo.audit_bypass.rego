# METADATA
# id: exo.audit_bypass
# title: No mailbox bypasses auditing
# description: >-
#   An account that bypasses auditing leaves no trace in the mailbox audit log, whatever it opens or deletes.
# scan: compliance
# severity: high
# service: exchange
# platforms: [m365]
# inputs: [exchange/MailboxAuditBypassAssociation]
# remediation:
#   - "Find them: Get-MailboxAuditBypassAssociation -ResultSize Unlimited | where AuditBypassEnabled"
#   - "For each: Set-MailboxAuditBypassAssociation -Identity <account> -AuditBypassEnabled $false"
#   - "Find out who set the bypass and why: it is a known way to hide."
# references:
#   - "https://learn.microsoft.com/powershell/module/exchange/set-mailboxauditbypassassociation"
# frameworks: ["CIS.M365.6.1.3", "NIST.800-53.AU-12"]
package watchpost.checks.exo_audit_bypass

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_exchange as exchange

path := "exchange/MailboxAuditBypassAssociation"

# The cmdlet spells the field `AuditBypassEnabled`, some sources `AuditByPassEnabled`.
bypasses(row) if {
	some field, value in row
	lower(field) == "auditbypassenabled"
	value == true
}

has_field(row) if {
	some field, value in row
	lower(field) == "auditbypassenabled"
	is_boolean(value)
}

failing := [row |
	some row in exchange.rows(path)
	bypasses(row)
	not lower(exchange.name(row)) in lib.exempt("mailbox")
]

names := sort([exchange.name(row) | some row in failing])

unreported := [row | some row in exchange.rows(path); not has_field(row)]

result := lib.failed_entities(
	sprintf("%s (%s) %s mailbox auditing, so what is read or deleted with %s leaves no trace", [exchange.counted(failing, "account", "accounts"), exchange.named(names), exchange.verb(failing, "bypasses", "bypass"), exchange.verb(failing, "it", "them")]),
	names, [{"account": text, "field": "AuditBypassEnabled", "value": true} | some text in names], array.slice(exchange.entities("mailbox", failing), 0, 1000),
) if {
	count(failing) > 0
} else := lib.skipped("unreadable", exchange.missing(path, "AuditBypassEnabled")) if {
	count(unreported) > 0
} else := lib.passed("No account bypasses mailbox auditing", [])
