# METADATA
# id: legacy.ms_defender_6_3
# title: Audit log is kept for as long as required
# description: >-
#   The former Defender baseline: audit logs must be kept for as long as the law requires, in the tenant or
#   elsewhere. An export doesn't show this.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.audit_retention
# inputs: []
# manual: true
# remediation:
#   - "CISA replaced the baseline that had this requirement."
# frameworks: ["MS.DEFENDER.6.3v1"]
package watchpost.checks.legacy_ms_defender_6_3

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Check where audit logs are sent and how long they are kept there")
