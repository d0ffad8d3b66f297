# METADATA
# id: entra.admin_signin_frequency
# title: Administrator sessions are short and not persistent
# description: >-
#   A stolen administrator session is usable for as long as it lasts. A Conditional Access policy for the
#   privileged roles must require a new sign-in after a few hours and prevent browsers from staying signed
#   in.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [identity/conditionalAccess/policies]
# optional_inputs: [directory/privilegedRoles]
# remediation:
#   - "Entra admin center > Protection > Conditional Access > Policies > New policy."
#   - "Users: Directory roles, and choose the privileged roles. Target resources: all resources."
#   - "Session: Sign-in frequency 4 hours or Every time; Persistent browser session: Never persistent."
#   - "Exclude only your emergency access accounts, and declare them as exemptions of this check."
#   - "Run the policy in report-only mode for a week, review the sign-in log, then turn it on."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/conditional-access/concept-session-lifetime"
# frameworks: ["CIS.M365.5.2.2.4", "NIST.800-53.AC-12"]
# params:
#   most_hours: 4
package watchpost.checks.entra_admin_signin_frequency

import data.watchpost.checklib_access as access
import data.watchpost.checklib as lib
import rego.v1

words := {
	"does": sprintf("limits sessions of privileged roles to %s", [lib.number_of(input.params.most_hours, "hour", "hours")]),
	"so": "so a stolen administrator session stays usable",
}

spec := access.specified({"demand": "short_session", "who": "administrators"})

result := access.verdict(spec, words)
