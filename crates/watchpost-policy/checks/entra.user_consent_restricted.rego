# METADATA
# id: entra.user_consent_restricted
# title: User consent to apps is restricted
# description: >-
#   Consent prompts are a common attack path: one click gives a malicious app lasting access to mail and
#   files without a password. Users must be able to consent only to harmless permissions.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authorizationPolicy]
# optional_inputs: [delegatedPermissionClassifications]
# remediation:
#   - >-
#     Entra admin center > Identity > Applications > Enterprise applications > Consent and permissions > User
#     consent settings.
#   - >-
#     Choose Do not allow user consent, or Allow user consent for apps from verified publishers, for selected
#     permissions, and classify only permissions such as openid, profile, email and User.Read as low.
#   - "Turn on the admin consent workflow, so that people can request consent."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/configure-user-consent"
# frameworks: ["MS.AAD.5.2v1", "CIS.M365.5.1.5.1", "NIST.800-53.AC-6(10)", "NIST.800-53.CM-5"]
# params:
#   risky_permissions:
#     - "Application.ReadWrite.All"
#     - "Calendars.ReadWrite"
#     - "Chat.Read"
#     - "Chat.ReadWrite"
#     - "Contacts.ReadWrite"
#     - "Directory.AccessAsUser.All"
#     - "Directory.ReadWrite.All"
#     - "Files.Read.All"
#     - "Files.ReadWrite"
#     - "Files.ReadWrite.All"
#     - "full_access_as_user"
#     - "EWS.AccessAsUser.All"
#     - "IMAP.AccessAsUser.All"
#     - "POP.AccessAsUser.All"
#     - "SMTP.Send"
#     - "Mail.Read"
#     - "Mail.Read.Shared"
#     - "Mail.ReadWrite"
#     - "Mail.ReadWrite.Shared"
#     - "Mail.Send"
#     - "Mail.Send.Shared"
#     - "MailboxSettings.ReadWrite"
#     - "Notes.Read.All"
#     - "Notes.ReadWrite.All"
#     - "RoleManagement.ReadWrite.Directory"
#     - "Sites.Read.All"
#     - "Sites.ReadWrite.All"
#     - "Sites.FullControl.All"
#     - "User.ReadWrite.All"
#     - "UserAuthenticationMethod.ReadWrite.All"
#     - "Group.ReadWrite.All"
#     - "GroupMember.ReadWrite.All"
#     - "AppRoleAssignment.ReadWrite.All"
#     - "DelegatedPermissionGrant.ReadWrite.All"
#     - "Policy.ReadWrite.ConditionalAccess"
package watchpost.checks.entra_user_consent_restricted

import data.watchpost.checklib_entra as entra
import data.watchpost.checklib as lib
import rego.v1

assigned := {lower(id) |
	some policy in entra.authorization
	some keys in [["permissionGrantPolicyIdsAssignedToDefaultUserRole"], ["defaultUserRolePermissions", "permissionGrantPoliciesAssigned"]]
	some id in entra.texts(policy, keys)
}

reported if {
	some policy in entra.authorization
	is_array(object.get(policy, "permissionGrantPolicyIdsAssignedToDefaultUserRole", null))
}

reported if {
	some policy in entra.authorization
	is_array(object.get(policy, ["defaultUserRolePermissions", "permissionGrantPoliciesAssigned"], null))
}

reported if input.profile == "scuba"

allows(name) if {
	some id in assigned
	id == sprintf("managepermissiongrantsforself.%s", [name])
}

open := {"microsoft-user-default-recommended": "Microsoft decides what users can consent to"} if input.profile == "scuba"

open := {
	"microsoft-user-default-recommended": "Microsoft decides what users can consent to",
	"microsoft-user-default-legacy": "users can consent to any app",
} if {
	input.profile != "scuba"
}

# Policies of the tenant's own, whose permissions aren't known.
custom := {id |
	some id in assigned
	startswith(id, "managepermissiongrantsforself.")
	not startswith(id, "managepermissiongrantsforself.microsoft-user-default-")
}

wide := [sentence | some name, sentence in open; allows(name)]

wide_text := concat(" and ", wide)

low_allowed if allows("microsoft-user-default-low")

classified := lib.rows("delegatedPermissionClassifications")

risky := [row | some row in classified; is_risky(row)]

# An export lists only permissions that are both low and risky, without their classification.
is_risky(_) if input.profile == "scuba"

is_risky(row) if is_string(row)

is_risky(row) if {
	is_object(row)
	not row.classification
}

is_risky(row) if {
	lower(row.classification) == "low"
	lower(row.permissionName) in lib.lower_set(input.params.risky_permissions)
}

risky_names := {risky_name(row) | some row in risky}

risky_name(row) := row if is_string(row)

risky_name(row) := object.get(row, "permissionName", "a permission") if is_object(row)

result := lib.skipped("unreadable", "The authorization policy doesn't report what users can consent to") if {
	not reported
} else := lib.failed(
	sprintf("%s%s, so one click can give a malicious app lasting access", [upper(substring(wide_text, 0, 1)), substring(wide_text, 1, -1)]),
	{"policies": assigned},
	[{"policy": name} | some name, _ in open; allows(name)],
) if {
	count(wide) > 0
} else := lib.failed(
	sprintf("Users can consent to permissions classified as low, including %s, so one click can give a malicious app lasting access", [lib.join(risky_names)]),
	{"policies": assigned, "low": risky_names},
	[{"permission": name} | some name in risky_names],
) if {
	low_allowed
	count(risky) > 0
} else := lib.skipped("unreadable", "The permissions that are classified as low could not be read") if {
	low_allowed
	input.profile != "scuba"
	not lib.has("delegatedPermissionClassifications")
} else := lib.skipped("unreadable", sprintf("Users can consent to what the tenant's own policy allows, which is not read: %s", [lib.join(custom)])) if {
	input.profile != "scuba"
	count(custom) > 0
} else := lib.passed("Users can consent only to harmless permissions for verified publishers", {"policies": assigned}) if {
	low_allowed
} else := lib.passed("Users can't consent to apps", {"policies": assigned})
