# METADATA
# id: def.alerts_watched
# title: Alerts go to a monitored address
# description: >-
#   An alert that no one reads is useless. The required alerts must go to an address that someone monitors,
#   or to the system that collects security events (SIEM).
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# inputs: []
# manual: true
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Alert policy: open each required alert, Edit recipients, and choose an address that is monitored around the clock."
#   - "Or send alerts to your SIEM with the connector for Defender XDR."
# references:
#   - "https://learn.microsoft.com/defender-xdr/alert-policies"
# frameworks: ["MS.SECURITYSUITE.4.2v1", "MS.DEFENDER.5.2v1", "MS.EXO.16.2v1", "NIST.800-53.SI-4(5)"]
package watchpost.checks.def_alerts_watched

import rego.v1

import data.watchpost.checklib as lib

result := lib.skipped("manual", "Check the recipients of the required alert policies: does someone monitor these addresses, or does a SIEM collect the alerts?")
