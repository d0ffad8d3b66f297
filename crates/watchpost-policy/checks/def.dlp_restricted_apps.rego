# METADATA
# id: def.dlp_restricted_apps
# title: DLP blocks restricted apps and unwanted Bluetooth apps
# description: >-
#   On devices, data loss prevention (DLP) can keep protected files away from unapproved apps and unwanted
#   Bluetooth apps. Which apps those are is a decision that no setting shows.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# inputs: []
# manual: true
# remediation:
#   - "Purview portal, Data Loss Prevention, Overview, Data loss prevention settings, Endpoint DLP settings: list restricted apps and unallowed Bluetooth apps."
#   - "In the policy that looks for sensitive data, location Devices, set access by restricted apps and copying with an unallowed Bluetooth app to Block."
# references:
#   - "https://learn.microsoft.com/purview/dlp-configure-endpoint-settings"
# frameworks: ["MS.SECURITYSUITE.3.5v1", "MS.DEFENDER.4.6v1", "NIST.800-53.SC-7(10)"]
package watchpost.checks.def_dlp_restricted_apps

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Check the endpoint settings of data loss prevention: are restricted apps and unwanted Bluetooth apps listed and blocked?")
