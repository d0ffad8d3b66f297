# METADATA
# id: entra.logs_to_soc
# title: Sign-in and audit logs leave for a monitored place
# description: >-
#   Entra keeps sign-in and audit logs for days only, and nobody watches them there. They must go to a place
#   that keeps them and raises alerts. Diagnostic settings belong to Azure, so a person has to look.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: []
# manual: true
# remediation:
#   - "Entra admin center > Monitoring & health > Diagnostic settings > Add diagnostic setting."
#   - >-
#     Choose AuditLogs, SignInLogs, NonInteractiveUserSignInLogs, ServicePrincipalSignInLogs,
#     ManagedIdentitySignInLogs, RiskyUsers, UserRiskEvents and MicrosoftGraphActivityLogs.
#   - "Send them to the Log Analytics workspace, event hub or storage account that the security team watches."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/monitoring-health/howto-configure-diagnostic-settings"
# frameworks: ["MS.AAD.4.1v1", "NIST.800-53.AU-4"]
package watchpost.checks.entra_logs_to_soc

import data.watchpost.checklib as lib
import rego.v1

result := lib.skipped("manual", "See Monitoring & health > Diagnostic settings: the logs must go to a place that is watched.")
