# METADATA
# id: legacy.ms_exo_8_3
# title: Third-party DLP matches the native one
# description: >-
#   The former Exchange baseline: third-party data loss prevention (DLP) must offer what the native one does.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.dlp_sensitive
# inputs: []
# manual: true
# remediation:
#   - "CISA replaced the baseline that had this requirement."
# frameworks: ["MS.EXO.8.3v1"]
package watchpost.checks.legacy_ms_exo_8_3

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "If a third-party product provides data loss prevention, compare its features with the native one")
