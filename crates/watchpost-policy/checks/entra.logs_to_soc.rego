# METADATA
# id: entra.logs_to_soc
# title: Sign-in and audit logs are sent to a monitored system
# description: >-
#   Entra ID keeps sign-in and audit logs for only a few days, and no one monitors them there. They must go
#   to a system that keeps them and raises alerts. Diagnostic settings belong to Azure, so a person has to
#   check them.
# scan: compliance
# severity: high
# category: identity_security
# service: entra
# platforms: [m365]
# inputs: []
# manual: true
# remediation:
#   - "Entra admin center > Monitoring & health > Diagnostic settings > Add diagnostic setting."
#   - "Select AuditLogs, SignInLogs, NonInteractiveUserSignInLogs, ServicePrincipalSignInLogs, ManagedIdentitySignInLogs, RiskyUsers, UserRiskEvents and MicrosoftGraphActivityLogs."
#   - "Send them to the Log Analytics workspace, event hub or storage account that the security team monitors."
# references:
#   - "https://learn.microsoft.com/en-us/entra/identity/monitoring-health/howto-configure-diagnostic-settings"
# frameworks: ["MS.AAD.4.1v1", "NIST.800-53.AU-4"]
package watchpost.checks.entra_logs_to_soc

import data.watchpost.checklib as lib
import rego.v1

result := lib.skipped("manual", "Check Monitoring & health > Diagnostic settings: the logs must go to a monitored system")
