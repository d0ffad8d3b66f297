# METADATA
# id: def.dlp_locations
# title: DLP covers mail, files, chat and devices
# description: >-
#   A rule against sending card numbers by email is of little use if they can leave through chat. Data loss
#   prevention (DLP) policies that look for all configured information types must apply to all of Exchange,
#   SharePoint, OneDrive, Teams and devices; Teams and devices only if the tenant has a license for them.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# inputs: [purview/DlpCompliancePolicy, purview/DlpComplianceRule]
# optional_inputs: [subscribedSkus, licenses/features]
# remediation:
#   - "Purview portal, Data Loss Prevention, Policies: open the policy, Edit, Locations, and include all of Exchange email, SharePoint sites, OneDrive accounts, Teams chat and channel messages, and Devices."
#   - "Or in Security & Compliance PowerShell: Set-DlpCompliancePolicy -Identity \"<policy>\" -AddExchangeLocation All -AddSharePointLocation All -AddOneDriveLocation All -AddTeamsLocation All -AddEndpointDlpLocation All"
# references:
#   - "https://learn.microsoft.com/purview/dlp-policy-reference"
# frameworks:
#   ["MS.SECURITYSUITE.3.2v1", "MS.DEFENDER.4.2v1", "MS.TEAMS.6.1v1", "CIS.M365.3.2.2", "NIST.800-53.SC-7(10)"]
# params:
#   instances_max: 1
#   sensitive_types:
#     - "Credit Card Number"
#     - "U.S. Individual Taxpayer Identification Number (ITIN)"
#     - "U.S. Social Security Number (SSN)"
package watchpost.checks.def_dlp_locations

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender
import data.watchpost.checklib_dlp as dlp

# The location's name, its name in the policy's workload, its field, and the service plan that it needs beyond plain DLP.
places := [
	{"name": "Exchange", "workload": "Exchange", "field": "ExchangeLocation", "plan": "", "narrowing": ["ExchangeSender", "ExchangeSenderException", "ExchangeSenderMemberOf", "ExchangeSenderMemberOfException", "ExchangeLocationException"]},
	{"name": "SharePoint", "workload": "SharePoint", "field": "SharePointLocation", "plan": "", "narrowing": ["SharePointLocationException"]},
	{"name": "OneDrive", "workload": "OneDriveForBusiness", "field": "OneDriveLocation", "plan": "", "narrowing": ["OneDriveLocationException", "OneDriveSharedBy", "ExceptIfOneDriveSharedBy", "OneDriveSharedByMemberOf", "ExceptIfOneDriveSharedByMemberOf"]},
	{"name": "Teams", "workload": "Teams", "field": "TeamsLocation", "plan": "COMMUNICATIONS_DLP", "narrowing": ["TeamsLocationException"]},
	{"name": "Devices", "workload": "EndpointDevices", "field": "EndpointDlpLocation", "plan": "MICROSOFTENDPOINTDLP", "narrowing": ["EndpointDlpLocationException"]},
]

plans := {upper(defender.text(plan, "servicePlanName")) |
	some sku in lib.rows("subscribedSkus")
	some plan in lib.list(sku, "servicePlans")
}

# A location isn't required if the licenses are known and none of them covers it.
needed(_) if lib.scuba

needed(place) if place.plan == ""

needed(_) if count(plans) == 0

needed(place) if place.plan in plans

everywhere(policy, place) if {
	some location in lib.list(policy, place.field)
	location_name(location) == "all"
	works_at(policy, place)
	no_exceptions(policy, place)
}

works_at(policy, place) if contains(defender.text(policy, "Workload"), place.workload)

# Only cmdlets tell the workload, which repeats what the locations say.
works_at(policy, _) if {
	not lib.scuba
	not "Workload" in object.keys(policy)
}

no_exceptions(_, _) if lib.scuba

no_exceptions(policy, place) if {
	not lib.scuba
	count([name |
		some name in place.narrowing
		some item in lib.list(policy, name)
		not excused(item)
	]) == 0
}

# An exempted site, group or user.
excused(item) if {
	some kind in {"site", "group", "user"}
	lower(item) in lib.exempt(kind)
}

# `All`, or an object with that name.
location_name(location) := lower(location) if is_string(location)

location_name(location) := lower(defender.name(location)) if is_object(location)

# The published reading asks for one rule with all types. Ours asks for each type.
covered := {place.name |
	some place in places
	some entry in defender.full_rules
	everywhere(entry.policy, place)
} if {
	lib.scuba
}

covered := {place.name |
	some place in places
	every kind in dlp.wanted {
		every number in dlp.probes {
			found_in(place, kind, number)
		}
	}
} if {
	not lib.scuba
}

found_in(place, kind, number) if {
	some index, entry in dlp.entries
	[index, kind, number] in dlp.musts
	everywhere(entry.policy, place)
}

# Policies with a rule for the types.
policies := {defender.name(entry.policy) | some entry in defender.full_rules} if lib.scuba

policies := {defender.name(entry.policy) | some index, entry in dlp.entries; count([1 | some item in dlp.musts; item[0] == index]) > 0} if not lib.scuba

missing := [place.name | some place in places; needed(place); not place.name in covered]

spared := [place.name | some place in places; not needed(place)]

detected := {
	"policies": policies,
	"covered": sort([name | some name in covered]),
	"missing": missing,
	"not_licensed": spared,
}

result := defender.no_dlp if {
	lib.feature("defender_dlp") == false
} else := lib.skipped("not_applicable", "No information types are configured for this check") if {
	not lib.scuba
	count(dlp.wanted) == 0
} else := dlp.unreadable if {
	not lib.scuba
	count(missing) > 0
	dlp.unsure
} else := lib.failed(
	"No enforced data loss prevention policy looks for all configured information types, so no location is covered",
	detected, [],
) if {
	count(policies) == 0
} else := lib.failed(
	sprintf("Data loss prevention doesn't cover all of %s, so sensitive data can leave there unnoticed", [lib.join(missing)]),
	detected, [{"missing": missing}],
) if {
	count(missing) > 0
} else := lib.passed(
	sprintf("Data loss prevention covers all of %s", [lib.join(sort([name | some name in covered]))]),
	detected,
)
