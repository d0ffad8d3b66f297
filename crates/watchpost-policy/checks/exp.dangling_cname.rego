# METADATA
# id: exp.dangling_cname
# title: CNAME record points to an unclaimed name
# description: >-
#   A CNAME record whose target no longer exists can be taken over: anyone who registers the target at that
#   service can serve content under your name. This check covers only the hosts that you list.
# scan: exposure
# severity: high
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# remediation:
#   - "If the service is no longer used, delete the CNAME record."
#   - "If the service is still used, claim the name again before someone else does."
#   - "Search the service's logs and certificate transparency for certificates that someone else obtained for the host."
# references:
#   - "https://learn.microsoft.com/azure/security/fundamentals/subdomain-takeover"
# frameworks: ["NIST.800-53.CM-8", "NIST.800-53.SC-20"]
# params:
#   hosts: []
package watchpost.checks.exp_dangling_cname

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_dns as dns

document := input.doc.settings["dns/domains"]

looked_at := [host |
	is_object(document)
	some host in lib.as_list(object.get(document, "hosts", null))
	is_object(host)
	is_string(object.get(host, "name", null))
]

listed := {lower(text) | some text in lib.as_list(input.params.hosts); is_string(text)}

names := {lower(host.name) | some host in looked_at}

scope := array.concat(looked_at, [{"name": text} | some text in listed - names])

cname_status(host) := object.get(object.get(host, "cname", {}), "status", "failed")

target_status(host) := object.get(object.get(host, "target", {}), "status", "failed")

dangling(host) if {
	cname_status(host) == "found"
	target_status(host) == "nxdomain"
}

clear(host) if cname_status(host) in {"empty", "nxdomain"}

clear(host) if {
	cname_status(host) == "found"
	target_status(host) in {"found", "empty"}
}

target_name(host) := object.get(object.get(host, "target", {}), "name", null)

target(host) := sprintf("target %s", [target_name(host)]) if is_string(target_name(host))

target(host) := "target no longer exists" if not is_string(target_name(host))

failing := [{"domain": host.name, "seen": target(host)} | some host in scope; dangling(host)]

unknown := [host.name | some host in scope; not dangling(host); not clear(host)]

sentence := sprintf("%s %s to a name that no longer exists, so anyone who registers it takes over the host", [dns.subjects(failing), dns.verb(failing, "points", "point")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "No listed host points to a name that no longer exists",
	"none": "No host is listed for this check; set the parameter hosts",
})
