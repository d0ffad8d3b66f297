# METADATA
# id: exp.mta_sts_missing
# title: MTA-STS is missing or not enforced
# description: >-
#   MTA-STS makes other mail servers require encryption with a valid certificate. Without it, or without
#   enforcement, an attacker who tampers with the connection can read mail to the domain in transit.
# scan: exposure
# severity: low
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "Serve https://mta-sts.<domain>/.well-known/mta-sts.txt with the lines version: STSv1, mode: testing, mx: <your mail exchanger>, max_age: 604800 (for Microsoft 365: mx: *.mail.protection.outlook.com)"
#   - "Publish the TXT record _mta-sts.<domain>: v=STSv1; id=<date>"
#   - "Monitor the TLS reports, then set mode: enforce and give the record a new id."
# references:
#   - "https://learn.microsoft.com/purview/enhancing-mail-flow-with-mta-sts"
#   - "https://www.rfc-editor.org/rfc/rfc8461"
# frameworks: ["NIST.800-53.SC-8"]
package watchpost.checks.exp_mta_sts_missing

import rego.v1

import data.watchpost.checklib_dns as dns

# Domains without mail exchangers receive no mail to protect.
scope := [row | some row in dns.rows; not without_mail(row); not dns.vendor_zone(row)]

without_mail(row) if {
	dns.mx_known(row)
	not dns.receives(row)
}

# Servers ignore several records (RFC 8461, section 3.1).
has_record(row) if {
	count([text |
		some text in dns.rdata(row, "mta_sts")
		regex.match(`^v=STSv1[ \t]*;`, text)
		dns.tag(text, "id")
	]) == 1
}

lines(row, wanted) := [lower(trim_space(bits[1])) |
	some text in dns.rdata(row, "mta_sts_policy")
	bits := split(text, ":")
	count(bits) == 2
	lower(trim_space(bits[0])) == wanted
]

# Of a repeated field, the first value counts (RFC 8461, section 3.2).
first(row, wanted) := lines(row, wanted)[0] if count(lines(row, wanted)) > 0

# How long servers remember the policy, in seconds.
age(row) := to_number(first(row, "max_age")) if regex.match(`^[0-9]{1,10}$`, first(row, "max_age"))

lasts(row) if age(row) >= 86400

covered(host, patterns) if host in patterns

# An asterisk stands for one label.
covered(host, patterns) if {
	labels := split(host, ".")
	concat(".", array.concat(["*"], array.slice(labels, 1, count(labels)))) in patterns
}

uncovered(row) := sort({host | some host in dns.mx_hosts(row); not covered(host, {trim_suffix(text, ".") | some text in lines(row, "mx")})})

problem(row) := "no record" if {
	dns.known(row, "mta_sts")
	not has_record(row)
} else := "the policy can't be fetched" if {
	has_record(row)
	not fetched(row)
	dns.lookup(row, "mta_sts_policy")
} else := "mode is not enforce" if {
	has_record(row)
	fetched(row)
	not first(row, "mode") == "enforce"
} else := "the policy is valid for less than a day" if {
	has_record(row)
	fetched(row)
	not lasts(row)
} else := sprintf("%s isn't in the policy", [uncovered(row)[0]]) if {
	has_record(row)
	fetched(row)
	count(uncovered(row)) > 0
}

fetched(row) if {
	dns.lookup(row, "mta_sts_policy").status == "found"
	first(row, "version") == "stsv1"
}

failing := [{"domain": row.domain, "seen": problem(row)} | some row in scope; problem(row)]

enough(row) if {
	dns.known(row, "mta_sts")
	dns.lookup(row, "mta_sts_policy")
	dns.known(row, "mx")
}

unknown := [row.domain | some row in scope; not problem(row); not enough(row)]

sentence := sprintf("%s %s other servers deliver without verified encryption, so mail can be read in transit", [dns.subjects(failing), dns.verb(failing, "lets", "let")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain that receives mail enforces MTA-STS",
	"none": "No domain receives mail",
})
