# METADATA
# id: legacy.ms_exo_9_2
# title: Attachment filter looks at the true file type
# description: >-
#   The former Exchange baseline: the attachment filter looks at what a file is, not only at its name.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.click_to_run_blocked
# inputs: []
# manual: true
# remediation:
#   - "The baseline that asked for this was replaced."
# frameworks: ["MS.EXO.9.2v1"]
package watchpost.checks.legacy_ms_exo_9_2

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Look at whether the attachment filter recognizes a file by its content.")
