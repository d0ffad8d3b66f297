# METADATA
# id: legacy.ms_defender_4_5
# title: Apps blocked from protected files are listed
# description: >-
#   The former Defender baseline: a list must name the apps that may not open files that data loss prevention
#   protects. No setting in an export shows the list.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.dlp_restricted_apps
# inputs: []
# manual: true
# remediation:
#   - "CISA replaced the baseline that had this requirement."
# frameworks: ["MS.DEFENDER.4.5v1"]
package watchpost.checks.legacy_ms_defender_4_5

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Check the endpoint settings of data loss prevention: are restricted apps listed?")
