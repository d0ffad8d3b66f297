# METADATA
# id: legacy.ms_defender_4_5
# title: Apps kept from protected files are listed
# description: >-
#   The former Defender baseline: a list of apps that may not open files that data loss prevention protects. Which
#   apps those are no setting of an export shows.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# variant_of: def.dlp_restricted_apps
# inputs: []
# manual: true
# remediation:
#   - "The baseline that asked for this was replaced."
# frameworks: ["MS.DEFENDER.4.5v1"]
package watchpost.checks.legacy_ms_defender_4_5

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Look at the endpoint settings of data loss prevention: are restricted apps listed?")
