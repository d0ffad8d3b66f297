# METADATA
# id: exo.shared_mailbox_signin
# title: Shared mailboxes cannot sign in
# description: >-
#   People open a shared mailbox with their own account, so the mailbox's account needs no sign-in. If it can
#   sign in, several people may know its password and no one monitors it.
# scan: compliance
# severity: high
# service: exchange
# platforms: [m365]
# inputs: [exchange/SharedMailbox]
# remediation:
#   - "Block the account of each: Update-MgUser -UserId <object id> -AccountEnabled:$false"
#   - "Or Microsoft 365 admin center, Teams & groups, Shared mailboxes, the mailbox, Block sign-in."
#   - "People keep their access through the Full Access and Send As permissions."
# references:
#   - "https://learn.microsoft.com/microsoft-365/admin/email/create-a-shared-mailbox"
# frameworks: ["CIS.M365.1.2.2", "NIST.800-53.AC-2", "NIST.800-53.IA-2"]
package watchpost.checks.exo_shared_mailbox_signin

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_exchange as exchange

path := "exchange/SharedMailbox"

address(row) := row.UserPrincipalName if {
	is_string(object.get(row, "UserPrincipalName", null))
} else := row.PrimarySmtpAddress if {
	is_string(object.get(row, "PrimarySmtpAddress", null))
} else := exchange.name(row)

id(row) := row.ExternalDirectoryObjectId if {
	is_string(object.get(row, "ExternalDirectoryObjectId", null))
} else := address(row)

exempted(row) if lower(address(row)) in lib.exempt("mailbox")

exempted(row) if lower(id(row)) in lib.exempt("mailbox")

judged := [row | some row in exchange.rows(path); not exempted(row)]

open := [row | some row in judged; object.get(row, "accountEnabled", null) == true]

unreported := [address(row) | some row in judged; not is_boolean(object.get(row, "accountEnabled", null))]

addresses := sort([address(row) | some row in open])

result := lib.failed_entities(
	sprintf("%s (%s) can sign in with %s own password, which several people may know and no one monitors", [exchange.counted(open, "shared mailbox", "shared mailboxes"), exchange.named(addresses), exchange.verb(open, "its", "their")]),
	{"mailboxes": count(judged), "able_to_sign_in": count(open)},
	[{"mailbox": text, "field": "accountEnabled", "value": true} | some text in array.slice(addresses, 0, 200)],
	array.slice([{"type": "mailbox", "id": id(row), "name": address(row)} | some row in open], 0, 1000),
) if {
	count(open) > 0
} else := lib.skipped("not_applicable", "There is no shared mailbox") if {
	count(judged) == 0
} else := lib.skipped("unreadable", sprintf("It is unknown whether the accounts of these shared mailboxes can sign in: %s", [exchange.named(unreported)])) if {
	count(unreported) > 0
} else := lib.passed("No shared mailbox can sign in", {"mailboxes": count(judged)})
