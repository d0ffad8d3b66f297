# METADATA
# id: legacy.ms_exo_14_4
# title: Third-party spam filter matches the native one
# description: >-
#   The former Exchange baseline: a third-party spam filter must offer what the native one does.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.spam_not_inbox
# inputs: []
# manual: true
# remediation:
#   - "CISA replaced the baseline that had this requirement."
# frameworks: ["MS.EXO.14.4v1"]
package watchpost.checks.legacy_ms_exo_14_4

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "If a third-party product filters spam, compare its features with the native filter")
