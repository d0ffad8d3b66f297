# METADATA
# id: legacy.ms_exo_17_2
# title: Advanced audit logging is on for mail
# description: >-
#   The former Exchange baseline: advanced audit logging must be on.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.audit_retention
# inputs: []
# manual: true
# remediation:
#   - "CISA replaced the baseline that had this requirement."
# frameworks: ["MS.EXO.17.2v1"]
package watchpost.checks.legacy_ms_exo_17_2

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Check the audit settings of licensed users: is advanced auditing on?")
