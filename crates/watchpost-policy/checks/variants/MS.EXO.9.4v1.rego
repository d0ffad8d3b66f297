# METADATA
# id: legacy.ms_exo_9_4
# title: Other filter is as good as the native one
# description: >-
#   The former Exchange baseline: an attachment filter from another maker offers what the native one does.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.click_to_run_blocked
# inputs: []
# manual: true
# remediation:
#   - "The baseline that asked for this was replaced."
# frameworks: ["MS.EXO.9.4v1"]
package watchpost.checks.legacy_ms_exo_9_4

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "If attachments are filtered by another maker's product, compare what it offers.")
