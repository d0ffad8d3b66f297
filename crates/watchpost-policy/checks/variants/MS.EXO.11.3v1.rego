# METADATA
# id: legacy.ms_exo_11_3
# title: Phishing protection learns from mailboxes
# description: >-
#   The former Exchange baseline: phishing protection learns who usually writes to whom.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.safety_tips
# inputs: []
# manual: true
# remediation:
#   - "The baseline that asked for this was replaced."
# frameworks: ["MS.EXO.11.3v1"]
package watchpost.checks.legacy_ms_exo_11_3

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Look at whether mailbox intelligence, or something like it, is on.")
