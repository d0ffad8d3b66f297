# METADATA
# id: legacy.ms_defender_6_3
# title: Audit log is kept as long as required
# description: >-
#   The former Defender baseline: audit logs are kept for as long as the law demands, in the tenant or elsewhere,
#   which an export doesn't show.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.audit_retention
# inputs: []
# manual: true
# remediation:
#   - "The baseline that asked for this was replaced."
# frameworks: ["MS.DEFENDER.6.3v1"]
package watchpost.checks.legacy_ms_defender_6_3

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Look at where audit logs go and how long they are kept there.")
