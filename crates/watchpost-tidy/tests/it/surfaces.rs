//! The domain does not name tools or commands: a next step is a value there, which each interface renders.

use crate::{files, text};

const TOOLS: &str = "crates/watchpost-mcp/src/tools/";
const DOMAIN: &str = "crates/watchpost-core/src/";

/// Returns the code of a file without comments and without the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Returns the names in literals that belong to one interface: names of tools, and commands.
fn names_of_interfaces(code: &str, tools: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for tool in tools {
        // A literal may be equal to the name of a tool, as that of a permission is; a sentence must not contain it.
        let whole = format!("\"{tool}\"");
        let contained = code
            .match_indices(tool.as_str())
            .filter(|(at, _)| {
                let before = code[..*at].chars().next_back();
                let after = code[at + tool.len()..].chars().next();
                let is_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_.(:".contains(c));
                !is_name(before)
                    && !is_name(after)
                    && !code
                        .get(at.wrapping_sub(1)..)
                        .is_some_and(|rest| rest.starts_with(&whole))
            })
            .count();
        if contained > 0 {
            found.push(tool.clone());
        }
    }
    if code.contains("`watchpost ") {
        found.push("a command".to_owned());
    }
    found
}

#[test]
fn the_domain_names_no_tool_and_no_command() {
    let tools: Vec<String> = files()
        .iter()
        .filter_map(|path| path.strip_prefix(TOOLS)?.strip_suffix(".rs"))
        .filter(|name| name.contains('_'))
        .map(str::to_owned)
        .collect();
    assert!(tools.len() > 15, "only {} tools: the list is wrong", tools.len());
    let mut found = Vec::new();
    for path in files().iter().filter(|path| path.starts_with(DOMAIN)) {
        let code = code(&text(path).expect("source is text"));
        for named in names_of_interfaces(&code, &tools) {
            found.push(format!("{path}: {named}"));
        }
    }
    assert!(
        found.is_empty(),
        "make it a variant of `NextStep`, which each interface renders: {found:#?}"
    );
}

#[test]
fn a_sentence_with_a_tool_or_a_command_is_found() {
    let tools = ["list_scans".to_owned()];
    for (code, expected) in [
        (r#"next: "`list_scans` shows the ids""#, vec!["list_scans"]),
        (r#"next: "call list_scans next""#, vec!["list_scans"]),
        (
            r#"next: "`watchpost scan list` shows the ids""#,
            vec!["a command"],
        ),
        (r#"StartScan = "list_scans","#, vec![]),
        ("self.store().list_scans(scope)", vec![]),
        ("async fn list_scans(&self)", vec![]),
        (r#""the scan is over""#, vec![]),
    ] {
        assert_eq!(names_of_interfaces(code, &tools), expected, "{code}");
    }
}

/// Returns the words of the commands that a text contains in backticks, without flags and values.
fn commands(text: &str) -> Vec<Vec<&str>> {
    text.split("`watchpost ")
        .skip(1)
        .filter_map(|rest| rest.split('`').next())
        .map(|command| {
            command
                .split(' ')
                .take_while(|word| {
                    !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                })
                .collect()
        })
        .collect()
}

#[test]
fn commands_that_other_crates_name_exist() {
    let reference = text("docs/cli-reference.md").expect("the reference exists");
    let known: Vec<&str> = reference
        .lines()
        .filter_map(|line| line.strip_prefix("## `watchpost ")?.strip_suffix('`'))
        .collect();
    assert!(
        known.len() > 30,
        "only {} commands: they are not parsed correctly",
        known.len()
    );
    let exists =
        |words: &[&str]| (1..=words.len()).any(|length| known.contains(&words[..length].join(" ").as_str()));
    assert!(exists(&["integrations", "add", "okta"]) && !exists(&["integrations", "mend"]));
    let mut named = 0;
    let mut wrong = Vec::new();
    for path in files().iter().filter(|path| {
        path.starts_with("crates/")
            && path.contains("/src/")
            && path.ends_with(".rs")
            && !path.contains("tidy")
    }) {
        let code = code(&text(path).expect("source is text"));
        for words in commands(&code) {
            named += 1;
            if !exists(&words) {
                wrong.push(format!("{path}: `watchpost {}`", words.join(" ")));
            }
        }
    }
    assert!(
        named > 20,
        "only {named} commands were found: they are not parsed correctly"
    );
    assert!(wrong.is_empty(), "unknown commands:\n{}", wrong.join("\n"));
}
