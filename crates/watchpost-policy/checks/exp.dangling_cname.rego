# METADATA
# id: exp.dangling_cname
# title: CNAME points at an unclaimed name
# description: >-
#   A CNAME whose target no longer exists can be taken over: whoever registers the target at that service shows
#   what they like under your name. Only the hosts that you list are looked at.
# scan: exposure
# severity: high
# service: dns
# platforms: [m365, okta, google_workspace]
# inputs: [dns/domains]
# remediation:
#   - "If the service is no longer used: delete the CNAME record."
#   - "If it still is: claim the name again at the service before somebody else does."
#   - "Look in its logs and in certificate transparency for certificates that somebody else got for the host."
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

target(host) := sprintf("to %s", [target_name(host)]) if is_string(target_name(host))

target(host) := "its target is gone" if not is_string(target_name(host))

failing := [{"domain": host.name, "seen": target(host)} | some host in scope; dangling(host)]

unknown := [host.name | some host in scope; not dangling(host); not clear(host)]

sentence := sprintf("%s %s at a name that doesn't exist any more, so whoever registers it takes over the host", [dns.subjects(failing), dns.verb(failing, "points", "point")])

result := dns.judge({
	"scope": scope,
	"failing": failing,
	"unknown": unknown,
	"failed": sentence,
	"passed": "No listed host points at a name that is gone.",
	"none": "No host is listed for this check; set hosts.",
})
