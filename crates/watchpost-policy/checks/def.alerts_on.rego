# METADATA
# id: def.alerts_on
# title: Required alerts are enabled
# description: >-
#   Microsoft raises alerts when an account sends spam, when mail is forwarded suspiciously, or when the
#   tenant is restricted from sending mail. The alerts that the published baseline requires must be on; the
#   alert for clicks on malicious links is required only where the tenant has it.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# inputs: [purview/ProtectionAlert]
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Alert policy: open each alert that the finding names and turn it on."
#   - "Or in Security & Compliance PowerShell: Set-ProtectionAlert -Identity \"<alert>\" -Disabled $false"
# references:
#   - "https://learn.microsoft.com/defender-xdr/alert-policies"
# frameworks: ["MS.SECURITYSUITE.4.1v1", "MS.EXO.16.1v1", "NIST.800-53.SI-4(5)"]
package watchpost.checks.def_alerts_on

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

always := {
	"Suspicious email sending patterns detected",
	"Suspicious connector activity",
	"Suspicious Email Forwarding Activity",
	"Messages have been delayed",
	"Tenant restricted from sending unprovisioned email",
	"Tenant restricted from sending email",
}

licensed := {"A potentially malicious URL click was detected"}

wanted := always | {name | some name in licensed; lower(name) in defender.alerts}

# Alerts of which it is unknown whether they are on.
unknown := {lower(trim_space(defender.text(row, "Name"))) |
	some row in lib.rows("purview/ProtectionAlert")
	not is_boolean(object.get(row, "Disabled", null))
} if {
	not lib.scuba
}

unknown := set() if lib.scuba

unread := {name | some name in wanted - missing; not lower(name) in defender.alerts_on}

missing := {name | some name in wanted; not lower(name) in defender.alerts_on; not lower(name) in unknown}

detected := {"on": sort([name | some name in (wanted - missing) - unread]), "off_or_absent": sort([name | some name in missing])}

result := lib.failed(
	sprintf("Required alerts are off or missing (%s), so no one learns of an attack in time", [lib.join(sort([name | some name in missing]))]),
	detected, [{"alert": name} | some name in sort([other | some other in missing])],
) if {
	count(missing) > 0
} else := lib.skipped("unreadable", sprintf("It wasn't read whether these alerts are on: %s", [lib.join(sort([name | some name in unread]))])) if {
	count(unread) > 0
} else := lib.passed("All required alerts are on", detected)
