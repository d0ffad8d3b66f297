# METADATA
# id: legacy.ms_defender_6_2
# title: Advanced audit logging is on
# description: >-
#   The former Defender baseline: advanced audit logging must be on for users. An export doesn't show this
#   per user.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.audit_retention
# inputs: []
# manual: true
# remediation:
#   - "CISA replaced the baseline that had this requirement."
# frameworks: ["MS.DEFENDER.6.2v1"]
package watchpost.checks.legacy_ms_defender_6_2

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Check the audit settings of licensed users: is advanced auditing on?")
