# METADATA
# id: legacy.ms_exo_14_4
# title: Other spam filter is as good as the native one
# description: >-
#   The former Exchange baseline: a spam filter from another maker offers what the native one does.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.spam_not_inbox
# inputs: []
# manual: true
# remediation:
#   - "The baseline that asked for this was replaced."
# frameworks: ["MS.EXO.14.4v1"]
package watchpost.checks.legacy_ms_exo_14_4

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "If spam is filtered by another maker's product, compare what it offers.")
