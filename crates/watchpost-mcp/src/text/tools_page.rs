//! The prose of the generated page `docs/tools.md`.

/// The introduction. `actions` and `write_tools` are lists of tool names.
pub(crate) fn introduction(
    read_count: usize,
    query_count: usize,
    actions: &str,
    write_count: usize,
    write_tools: &str,
) -> String {
    format!(
        "# The tools

This page is generated from the declarations in `crates/watchpost-mcp/src/tools`; a test compares the two.

A read key sees and calls {read_count} tools: {query_count} queries, and {actions}. A write key also has the
{write_count} write tools: {write_tools}.
A write tool called with a read key returns the error `Write scope required`.

Answers about findings, people, apps, rules and integrations have `as_of`, the time of the last analysis (omitted before
the first), and `warnings` when an integration is stale, failing, paused or partly unreadable. An unknown value is omitted
or is `unknown`; no field is ever `null`. An unknown argument is an error that names it. An argument that takes a list of
words also takes one word alone. Each call, rejected ones included, has exactly one entry in the audit log, which is
committed before the answer is sent.

The write tools are safe to repeat: [Changes by an assistant](changes.md) describes `idempotency_key`, what errors say
about retrying, and when a person is asked first.

Times are RFC 3339 in UTC. The text block of an answer is a sentence of Watchpost's own, then the structured answer as
one line of JSON between two marker lines that label it as data from outside.
"
    )
}

/// The calls before which a person is asked, as the tool's risk says.
pub(crate) fn asked_first(risk: &str) -> String {
    format!("A person is asked first, with `confirm = \"risky\"`: {risk}.")
}
