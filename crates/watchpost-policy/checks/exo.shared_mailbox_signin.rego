# METADATA
# id: exo.shared_mailbox_signin
# title: Shared mailboxes cannot sign in
# description: >-
#   A shared mailbox needs no sign-in of its own: people open it with theirs. If its account can sign in, its
#   password is one that several people know and nobody watches.
# scan: compliance
# severity: high
# service: exchange
# platforms: [m365]
# inputs: [exchange/SharedMailbox]
# remediation:
#   - "Block the account of each: Update-MgUser -UserId <object id> -AccountEnabled:$false"
#   - "Or Microsoft 365 admin center, Teams & groups, Shared mailboxes, the mailbox, Block sign-in."
#   - "People keep their access through Full Access and Send As."
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

untold := [address(row) | some row in judged; not is_boolean(object.get(row, "accountEnabled", null))]

addresses := sort([address(row) | some row in open])

result := lib.failed_entities(
	sprintf("%s (%s) can sign in with %s own password, which several people may know and nobody watches", [exchange.counted(open, "shared mailbox", "shared mailboxes"), exchange.named(addresses), exchange.verb(open, "its", "their")]),
	{"mailboxes": count(judged), "able_to_sign_in": count(open)},
	[{"mailbox": text, "field": "accountEnabled", "value": true} | some text in array.slice(addresses, 0, 200)],
	array.slice([{"type": "mailbox", "id": id(row), "name": address(row)} | some row in open], 0, 1000),
) if {
	count(open) > 0
} else := lib.skipped("not_applicable", "There is no shared mailbox.") if {
	count(judged) == 0
} else := lib.skipped("unreadable", sprintf("Whether the accounts of these shared mailboxes can sign in is unknown: %s.", [exchange.named(untold)])) if {
	count(untold) > 0
} else := lib.passed("No shared mailbox can sign in.", {"mailboxes": count(judged)})
