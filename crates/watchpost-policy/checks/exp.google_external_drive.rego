# METADATA
# id: exp.google_external_drive
# title: Drive files can be published to anyone
# description: >-
#   People can share Drive files outside the company and publish them to anyone who has the link. No one can
#   tell later who read them.
# scan: exposure
# severity: high
# service: google
# platforms: [google_workspace]
# inputs: [cloudidentity/policies]
# remediation:
#   - "Google Admin console > Apps > Google Workspace > Drive and Docs > Sharing settings: set \"Sharing outside of the organization\" to allowlisted domains or off."
#   - "In the same place, clear \"When sharing outside is allowed, users can make files and published web content visible to anyone with the link\"."
# references:
#   - https://support.google.com/a/answer/60781
# frameworks: ["NIST.800-53.AC-3", "NIST.800-53.AC-22"]
package watchpost.checks.exp_google_external_drive

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# The policies of the Cloud Identity API, from https://cloudidentity.googleapis.com/v1/policies.
policies := work.google_policies("drive_and_docs.external_sharing")

bad := [row |
	some row in policies
	row.value.externalSharingMode == "ALLOWED"
	row.value.allowPublishingFiles == true
]

known if {
	count(policies) > 0
	every row in policies {
		settled(row)
	}
}

settled(row) if row.value.externalSharingMode in {"ALLOWLISTED_DOMAINS", "DISALLOWED"}

settled(row) if row.value.allowPublishingFiles == false

result := lib.failed_entities(
	sprintf("Drive files can be shared outside the company and published to anyone with the link in %s, so company documents can be read without signing in", [work.number_of(count(bad), "organizational unit", "organizational units")]),
	{"externalSharingMode": "ALLOWED", "allowPublishingFiles": true},
	[{"orgUnit": row.unit, "externalSharingMode": row.value.externalSharingMode, "allowPublishingFiles": row.value.allowPublishingFiles} | some row in array.slice(bad, 0, 50)],
	work.first([{"type": "org_unit", "id": row.unit, "name": row.unit} | some row in bad]),
) if {
	count(bad) > 0
} else := lib.passed("Drive files can't be published to anyone with the link", {"policies": count(policies)}) if {
	known
} else := work.lacks("cloudidentity/policies", ["drive_and_docs.external_sharing"])
