# METADATA
# id: exo.spf
# title: SPF record rejects unauthorized senders
# description: >-
#   An SPF record names the servers that may send mail for a domain. It protects the domain only if there is
#   exactly one record, receivers can evaluate it, and it fails all other senders, directly or through a
#   redirect.
# scan: compliance
# severity: high
# service: exchange
# platforms: [m365]
# inputs: [dns/domains]
# optional_inputs: [exchange/AcceptedDomain]
# remediation:
#   - "List every service that sends mail in the domain's name (Microsoft 365, newsletters, ticket systems, printers)."
#   - "Publish one TXT record at the domain itself, for Microsoft 365 alone: v=spf1 include:spf.protection.outlook.com -all"
#   - "Add an include: or ip4: for every other sender before -all, in the same record."
#   - "For a domain that sends no mail: v=spf1 -all"
# references:
#   - "https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure"
#   - "https://www.rfc-editor.org/rfc/rfc7208"
# frameworks: ["MS.EXO.2.2v3", "CIS.M365.2.1.8", "NIST.800-53.AC-2d"]
package watchpost.checks.exo_spf

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_dns as dns

records(row) := dns.spf_records(row)

# Our reading: there is one record that receivers can evaluate, and its result for all other senders is "fail" or
# "softfail".
good(row) if {
	not lib.scuba
	count(records(row)) == 1
	not problem(row, records(row)[0])
	dns.spf_end(row, records(row)[0]) in {"-", "~"}
}

problem(row, record) := dns.spf_error(row, record)

problem(row, record) := "more DNS lookups than receivers make" if {
	not dns.spf_error(row, record)
	dns.spf_exceeds(row, record)
}

problem(row, record) := dns.spf_opening(row, record) if {
	not dns.spf_error(row, record)
	not dns.spf_exceeds(row, record)
}

good(row) if {
	not lib.scuba
	concluded(row)
	dns.compliant(row)
}

# An export may hold the exporter's conclusion instead of the records, or for a redirect that the exporter followed.
concluded(row) if {
	is_boolean(dns.compliant(row))
	count(records(row)) == 0
	count(dns.rdata(row, "spf")) == 0
}

concluded(row) if {
	is_boolean(dns.compliant(row))
	redirect_unknown(row)
}

# The published reading: the exporter's conclusion, or any record that fails other senders or redirects.
good(row) if {
	lib.scuba
	dns.compliant(row) == true
}

good(row) if {
	lib.scuba
	not is_boolean(dns.compliant(row))
	some text in dns.rdata(row, "spf")
	startswith(text, "v=spf1 ")
	some word in ["-all", "~all", "redirect"]
	contains(text, word)
}

# Where a redirect leads, or how the record ends, is unknown.
redirect_unknown(row) if {
	count(records(row)) == 1
	not problem(row, records(row)[0])
	not dns.spf_end(row, records(row)[0])
}

unknown_row(row) if {
	not lib.scuba
	not good(row)
	not dns.known(row, "spf")
	not is_boolean(dns.compliant(row))
}

unknown_row(row) if {
	not lib.scuba
	redirect_unknown(row)
	not is_boolean(dns.compliant(row))
}

scope := [row | some row in dns.all_rows; dns.lookup(row, "spf"); not dns.exempted(row)] if lib.scuba

scope := dns.rows if not lib.scuba

seen(row) := "no SPF record" if count(records(row)) == 0

seen(row) := records(row)[0] if {
	count(records(row)) == 1
	not problem(row, records(row)[0])
}

seen(row) := sprintf("%s: %s", [problem(row, records(row)[0]), records(row)[0]]) if count(records(row)) == 1

seen(row) := sprintf("%d SPF records", [count(records(row))]) if count(records(row)) > 1

failing := [{"domain": row.domain, "seen": seen(row)} |
	some row in scope
	not good(row)
	not unknown_row(row)
]

unknown := [row.domain | some row in scope; unknown_row(row)]

sentence := sprintf("%s %s unauthorized senders send mail in %s name, because SPF doesn't reject them", [dns.subjects(failing), dns.verb(failing, "lets", "let"), dns.verb(failing, "its", "their")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "Every domain's SPF record rejects unauthorized senders",
	"none": dns.no_domains,
})
