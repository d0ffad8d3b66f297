# METADATA
# id: legacy.ms_exo_8_3
# title: Other DLP is as good as the native one
# description: >-
#   The former Exchange baseline: data loss prevention from another maker offers what the native one does.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.dlp_sensitive
# inputs: []
# manual: true
# remediation:
#   - "The baseline that asked for this was replaced."
# frameworks: ["MS.EXO.8.3v1"]
package watchpost.checks.legacy_ms_exo_8_3

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "If data loss prevention comes from another maker, compare what it offers.")
