# METADATA
# id: entra.banned_passwords
# title: Custom banned password list is enforced
# description: >-
#   Microsoft bans common passwords, but not the names of the company, its products and its towns, which
#   attackers try next.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [settings]
# remediation:
#   - "Entra admin center > Protection > Authentication methods > Password protection."
#   - "Set Enforce custom list to Yes, and add the names of the company, its products, locations and local sports clubs."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/authentication/tutorial-configure-custom-password-protection"
# frameworks: ["CIS.M365.5.2.3.2", "NIST.800-53.IA-5(1)"]
package watchpost.checks.entra_banned_passwords

import data.watchpost.checklib as lib
import rego.v1

values(name) := [value.value |
	some group in lib.rows("settings")
	some value in lib.list(group, "values")
	value.name == name
	is_string(value.value)
]

enforced if {
	some value in values("EnableBannedPasswordCheck")
	lower(value) == "true"
}

# A string of words separated by tabs. The words themselves don't appear in findings.
words := {word |
	some text in values("BannedPasswordList")
	some line in split(text, "\t")
	word := trim_space(line)
	word != ""
}

result := lib.failed("No custom list of banned passwords is enforced, so the company's own name can be used as a password", {"enforced": false, "words": count(words)}, []) if {
	not enforced
} else := lib.failed("The custom list of banned passwords is enforced but empty, so the company's own name can be used as a password", {"enforced": true, "words": 0}, []) if {
	count(words) == 0
} else := lib.passed(sprintf("A custom list of %s is enforced", [lib.number_of(count(words), "banned word", "banned words")]), {"enforced": true, "words": count(words)})
