# METADATA
# id: def.unified_audit
# title: Unified audit log is on
# description: >-
#   Without the unified audit log, no one can reconstruct what an intruder did.
# scan: compliance
# severity: critical
# service: defender
# platforms: [m365]
# inputs: [exchange/AdminAuditLogConfig]
# remediation:
#   - "In Exchange Online PowerShell: Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true"
#   - "Or Purview portal, Audit: Start recording user and admin activity."
# references:
#   - "https://learn.microsoft.com/purview/audit-log-enable-disable"
# frameworks: ["MS.SECURITYSUITE.5.1v1", "MS.DEFENDER.6.1v1", "MS.EXO.17.1v1", "CIS.M365.3.1.1", "NIST.800-53.AU-12"]
package watchpost.checks.def_unified_audit

import rego.v1

import data.watchpost.checklib as lib

found := [row.UnifiedAuditLogIngestionEnabled |
	some row in lib.rows("exchange/AdminAuditLogConfig")
	is_boolean(row.UnifiedAuditLogIngestionEnabled)
]

detected := {"UnifiedAuditLogIngestionEnabled": found}

result := lib.passed("The unified audit log is on", detected) if {
	true in found
} else := lib.skipped("unreadable", "The setting UnifiedAuditLogIngestionEnabled wasn't read") if {
	count(found) == 0
} else := lib.failed("The unified audit log is off, so no one can reconstruct what an intruder did", detected, [])
