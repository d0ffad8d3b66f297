# METADATA
# id: entra.auth_methods_migrated
# title: Authentication methods migration is complete
# description: >-
#   Until the migration is complete, the old per-user MFA and password reset settings still allow methods
#   that the new policy forbids.
# scan: compliance
# severity: medium
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: [policies/authenticationMethodsPolicy]
# remediation:
#   - "Entra admin center > Protection > Authentication methods > Policies > Manage migration."
#   - "Check that the policy allows what people use, then choose Migration Complete."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/authentication/how-to-authentication-methods-manage"
# frameworks: ["MS.AAD.3.4v1", "NIST.800-53.CM-7"]
package watchpost.checks.entra_auth_methods_migrated

import data.watchpost.checklib as lib
import rego.v1

policy := lib.one("policies/authenticationMethodsPolicy")

# The vendor's words for a migration that isn't complete.
states := {"preMigration": "not started", "migrationInProgress": "in progress"}

result := lib.skipped("unreadable", "The authentication methods policy doesn't report the state of the migration") if {
	not "policyMigrationState" in object.keys(policy)
} else := lib.passed("Only the new authentication methods policy applies, as in all newer tenants", null) if {
	is_null(policy.policyMigrationState)
} else := lib.passed("The migration to the authentication methods policy is complete", policy.policyMigrationState) if {
	policy.policyMigrationState == "migrationComplete"
} else := lib.failed(
	sprintf("The migration to the authentication methods policy is not complete (%s), so old settings still allow methods that the policy forbids", [object.get(states, policy.policyMigrationState, policy.policyMigrationState)]),
	policy.policyMigrationState,
	[],
)
