# METADATA
# id: legacy.ms_exo_11_3
# title: Phishing protection learns from mailboxes
# description: >-
#   The former Exchange baseline: phishing protection must learn who usually writes to whom.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.safety_tips
# inputs: []
# manual: true
# remediation:
#   - "CISA replaced the baseline that had this requirement."
# frameworks: ["MS.EXO.11.3v1"]
package watchpost.checks.legacy_ms_exo_11_3

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Check whether mailbox intelligence, or an equivalent, is on")
