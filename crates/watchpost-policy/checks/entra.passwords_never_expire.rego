# METADATA
# id: entra.passwords_never_expire
# title: Password expiry is turned off
# description: >-
#   Forced changes make people choose weaker passwords, often with a counter at the end. Passwords of managed
#   domains must not expire; they should be changed only when there is a reason.
# scan: compliance
# severity: low
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [domains]
# remediation:
#   - >-
#     Microsoft 365 admin center > Settings > Org settings > Security & privacy > Password expiration policy:
#     Set passwords to never expire.
#   - >-
#     Or per domain: Update-MgDomain -DomainId birch.example -BodyParameter
#     @{PasswordValidityPeriodInDays=2147483647}
# references:
#   - "https://learn.microsoft.com/en-us/microsoft-365/admin/manage/set-password-expiration-policy"
# frameworks: ["MS.AAD.6.1v1", "CIS.M365.1.3.1", "NIST.800-53.IA-5(1)"]
package watchpost.checks.entra_passwords_never_expire

import data.watchpost.checklib as lib
import rego.v1

never := 2147483647

managed := [domain |
	some domain in lib.rows("domains")
	domain.isVerified == true
	domain.authenticationType == "Managed"
	is_string(domain.id)
	not lower(domain.id) in lib.exempt("domain")
]

roots := [domain | some domain in managed; domain.isRoot == true]

# The root domain of a subdomain: the longest one that is a suffix of it.
roots_of(domain) := [root | some root in roots; endswith(lower(domain.id), sprintf(".%s", [lower(root.id)]))]

root_of(domain) := [root |
	some root in roots_of(domain)
	count(root.id) == max([count(other.id) | some other in roots_of(domain)])
][0]

# Subdomains inherit the value of their root.
days(domain) := object.get(domain, "passwordValidityPeriodInDays", null) if domain.isRoot == true

days(domain) := object.get(root_of(domain), "passwordValidityPeriodInDays", null) if {
	object.get(domain, "isRoot", false) != true
	count(roots_of(domain)) > 0
}

days(domain) := object.get(domain, "passwordValidityPeriodInDays", null) if {
	object.get(domain, "isRoot", false) != true
	count(roots_of(domain)) == 0
	input.profile != "scuba"
}

# The published reading requires a managed root for each subdomain.
days(domain) := 0 if {
	object.get(domain, "isRoot", false) != true
	count(roots_of(domain)) == 0
	input.profile == "scuba"
}

good(domain) if days(domain) == never

# A domain without the field is unknown, except in the published reading.
unreported := [domain |
	some domain in managed
	days_source(domain, missing) == missing
] if {
	input.profile != "scuba"
}

unreported := [] if input.profile == "scuba"

missing := "missing"

days_source(domain, otherwise) := object.get(root_of(domain), "passwordValidityPeriodInDays", otherwise) if {
	object.get(domain, "isRoot", false) != true
	count(roots_of(domain)) > 0
} else := object.get(domain, "passwordValidityPeriodInDays", otherwise)

# Verified and unverified domains can't be distinguished without these fields.
undescribed := [domain |
	some domain in lib.rows("domains")
	is_object(domain)
	some field in ["isVerified", "authenticationType"]
	not field in object.keys(domain)
] if {
	input.profile != "scuba"
}

undescribed := [] if input.profile == "scuba"

# Newer tenants have null, which means never unless it was set.
good(domain) if is_null(days(domain))

expiring := [domain | some domain in managed; not good(domain)]

result := lib.failed("No verified domain has its passwords in Entra ID, so no domain has password expiry turned off", {"managed": 0}, []) if {
	count(managed) == 0
	input.profile == "scuba"
} else := lib.skipped("unreadable", "Some domains don't report whether they are verified and where their passwords are") if {
	count(expiring) == 0
	count(undescribed) > 0
} else := lib.skipped("not_applicable", "No verified domain has its passwords in Entra ID") if {
	count(managed) == 0
} else := lib.skipped("unreadable", sprintf("It is unknown whether passwords expire in %s", [lib.join([domain.id | some domain in unreported])])) if {
	count(expiring) == 0
	count(unreported) > 0
} else := lib.passed(sprintf("Passwords don't expire in %s", [lib.number_of(count(managed), "domain", "domains")]), {"managed": count(managed)}) if {
	count(expiring) == 0
} else := lib.failed_entities(
	sprintf("Passwords expire in %s, so people choose weaker passwords", [lib.join([domain.id | some domain in expiring])]),
	{"expiring": count(expiring), "managed": count(managed)},
	[{"domain": domain.id, "days": days(domain)} | some domain in expiring],
	[{"type": "domain", "id": domain.id, "name": domain.id} | some domain in expiring],
)
