# METADATA
# id: legacy.ms_exo_9_2
# title: Attachment filter checks the true file type
# description: >-
#   The former Exchange baseline: the attachment filter must check a file's content, not only its name.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.click_to_run_blocked
# inputs: []
# manual: true
# remediation:
#   - "CISA replaced the baseline that had this requirement."
# frameworks: ["MS.EXO.9.2v1"]
package watchpost.checks.legacy_ms_exo_9_2

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Check whether the attachment filter detects the file type by content")
