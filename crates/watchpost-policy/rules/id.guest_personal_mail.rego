# METADATA
# id: id.guest_personal_mail
# title: Guest with a personal email address
# description: >-
#   A guest account uses an address at a free email provider. No organization requires multi-factor
#   authentication for that mailbox or closes it when the person changes jobs. The list of providers is a
#   parameter; the domains under .example are for the demo.
# severity: low
# category: identity_security
# document: identity
# datasets: [users]
# action: notify_user
# remediation:
#   - "Ask the person who invited the guest for the guest's work address."
#   - "Invite the work address and remove the guest account with the personal address."
#   - "Limit guest invitations to the domains of partners."
# references:
#   - https://learn.microsoft.com/entra/external-id/allow-deny-list
# frameworks: ["NIST.800-53.AC-2"]
# params:
#   domains:
#     ["gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com",
#     "ymail.com", "icloud.com", "me.com", "mac.com", "aol.com", "proton.me", "protonmail.com", "pm.me",
#     "gmx.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "mail.com",
#     "zoho.com", "fastmail.com", "hey.com", "tutanota.com", "tuta.com", "posteo.de", "mailbox.org",
#     "yandex.com", "yandex.ru", "mail.ru", "qq.com", "163.com", "126.com", "orange.fr", "free.fr",
#     "laposte.net", "wanadoo.fr", "libero.it", "virgilio.it", "wp.pl", "onet.pl", "seznam.cz",
#     "hotmail.co.uk", "yahoo.co.uk", "btinternet.com", "outlook.de", "hotmail.fr", "yahoo.fr", "yahoo.co.jp",
#     "naver.com", "rediffmail.com", "uol.com.br", "bol.com.br", "comcast.net", "verizon.net", "att.net",
#     "freemail.example", "postbox.example"]
package watchpost.rules.id_guest_personal_mail

import rego.v1

import data.watchpost.lib

needs := {"users"}

judged := [account |
	some account in pool
	lib.readable(account.integration, needs)
]

hits := [account |
	some account in judged
	domain(account) in {listed | some listed in data.params["id.guest_personal_mail"].domains}
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(pool, judged)

sentence := sprintf("The guest %s signs in with a personal address at %s, which no organization secures or closes", [lib.who, concat(" and ", {domain(account) | some account in hits})])

evidence := [lib.seen(account, "email", account.email) | some account in hits]

pool := [account |
	some account in input.doc.accounts
	account.kind == "guest"
	not lib.ended(account)
]

domain(account) := lower(split(account.email, "@")[1])
