# METADATA
# id: app.shadow_ai
# title: Unsanctioned AI tool with access to data
# description: >-
#   An app that looks like an AI tool can read mail, files or other content and has not been sanctioned. The
#   data that it reads may leave the company and be stored or used for training. The words and prefixes that
#   mark such tools are parameters.
# severity: medium
# category: shadow_it
# document: app
# datasets: [apps]
# optional_datasets: [grants, app_grants]
# depends_on_decisions: true
# action: block_app
# remediation:
#   - "Ask the users what they use the app for and with which data."
#   - "Check where the publisher stores data and what it uses the data for."
#   - "Decide: sanction the app under a contract, or revoke its grants and name an alternative."
# frameworks: ["NIST.800-53.CM-11", "NIST.800-53.SA-9"]
# params:
#   words:
#     ["ai", "gpt", "chatgpt", "openai", "claude", "anthropic", "gemini", "copilot", "perplexity",
#     "midjourney", "deepseek", "mistral", "cohere", "jasper", "otter", "fireflies", "fathom", "grammarly",
#     "elevenlabs", "runway", "synthesia", "genai", "llm", "chatbot", "poe", "cursor", "ollama"]
#   beginnings:
#     ["prompt", "chatgpt", "openai"]
package watchpost.rules.app_shadow_ai

import rego.v1

import data.watchpost.lib

needs := {"apps"}

kinds := lib.kinds_at_risk({"high", "medium"})

ai_candidate if {
	lib.unsanctioned
	ai_tool
}

# The words of the app's name, in their original case.
words := split(replace(replace(replace(input.doc.name, "-", " "), ".", " "), "_", " "), " ")

ai_tool if {
	some word in words
	lower(word) in {listed | some listed in data.params["app.shadow_ai"].words}
}

ai_tool if {
	some word in words
	some beginning in data.params["app.shadow_ai"].beginnings
	startswith(lower(word), beginning)
}

# NotesAI, WriterGPT: a suffix in capitals on a word that isn't all in capitals.
ai_tool if {
	some word in words
	some ending in {"AI", "GPT"}
	endswith(word, ending)
	word != upper(word)
}

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	lib.unsanctioned
	count(kinds) > 0
	ai_tool
}

else := lib.skipped("not_applicable") if not ai_candidate

else := lib.skipped("unreadable") if {
	lib.foreign_app
	lib.any_grants_unreadable
}

else := lib.app_quiet(needs)

sentence := sprintf("%s looks like an AI tool, can read content of %s (%s) and is not sanctioned, so company data may leave unnoticed", [lib.app, lib.reach({"high", "medium"}), lib.names({scope | some kind in kinds; some scope in object.get(input.doc.scopes, kind, [])})])

evidence := [lib.fact("scopes", {"kind": kind, "risk": input.doc.risks[kind], "scopes": array.slice(object.get(input.doc.scopes, kind, []), 0, 20)}) | some kind in kinds]
