# METADATA
# id: exp.domain_expiring
# title: Domain in use is not verified
# description: >-
#   A domain that is no longer verified has lost its proof of ownership. The next owner of the domain may
#   receive its mail and sign in as its users.
# scan: exposure
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [domains]
# remediation:
#   - "Entra admin center > Identity > Settings > Domain names > the domain: renew it at the registrar, publish the TXT record that is shown and choose Verify."
#   - "If you gave up the domain, move its users to another domain (Update-MgUser -UserId … -UserPrincipalName …), make another domain primary, then delete it."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/users/domains-manage"
# frameworks: ["NIST.800-53.CM-8"]
package watchpost.checks.exp_domain_expiring

import data.watchpost.checklib as lib
import rego.v1

in_use(domain) if domain.isDefault == true

# A domain that was only added has no services yet.
in_use(domain) if count(lib.list(domain, "supportedServices")) > 0

failing := [domain |
	some domain in lib.rows("domains")
	is_string(domain.id)
	domain.isVerified == false
	in_use(domain)
	not lower(domain.id) in lib.exempt("domain")
]

judged := [domain | some domain in lib.rows("domains"); is_boolean(domain.isVerified)]

result := lib.skipped("unreadable", "It is unknown whether the domains are verified") if {
	count(judged) == 0
} else := lib.passed(sprintf("%s checked, and every domain in use is verified", [lib.number_of(count(judged), "domain", "domains")]), {"domains": count(judged)}) if {
	count(failing) == 0
} else := lib.failed_entities(
	sprintf("%s not verified (%s), so the next owner of the name may take over its accounts", [
		lib.number_of(count(failing), "domain in use is", "domains in use are"),
		lib.join([domain.id | some domain in failing]),
	]),
	{"unverified": count(failing)},
	[{"domain": domain.id, "default": object.get(domain, "isDefault", false)} | some domain in failing],
	[{"type": "domain", "id": domain.id, "name": domain.id} | some domain in failing],
)
