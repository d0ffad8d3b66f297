//! Numbers and lists of names in the pages match the declarations in the code.

use crate::{
    code::{production, without_comments},
    files, text,
};
use std::collections::BTreeSet;

/// A page, a sentence of it, a directory, and the declarations that the sentence states, each in some file of production
/// code in the directory. A change of a declaration changes the sentence and the line here as well.
const STATEMENTS: &[(&str, &str, &str, &[&str])] = &[
    (
        "docs/architecture.md",
        "A cached key is valid for 50 ms",
        "crates/watchpost-core/src/access/",
        &["const FRESH_MS: u64 = 50;"],
    ),
    (
        "docs/changes.md",
        "`idempotency_key`: 1 to 64 visible ASCII characters",
        "crates/watchpost-mcp/src/arguments/",
        &["const ONCE_KEY_MAX: usize = 64;"],
    ),
    (
        "docs/changes.md",
        "Within 24 hours a second call",
        "crates/watchpost-core/src/access/",
        &["const ONCE_KEPT_MS: i64 = DAY_MS;"],
    ),
    (
        "docs/changes.md",
        "at most 10,000 keys in 24 hours",
        "crates/watchpost-core/src/access/",
        &["const ONCE_KEPT_MAX: u32 = 10_000;"],
    ),
    (
        "docs/resources.md",
        "At most 100 values",
        "crates/watchpost-core/src/port/",
        &["const COMPLETIONS_MAX: usize = 100;"],
    ),
    (
        "docs/resources.md",
        "for 24 hours, and to the key alone",
        "crates/watchpost-mcp/src/",
        &["const TTL_MS: u32 = 24 * 60 * 60 * 1_000;"],
    ),
    (
        "docs/imports.md",
        "| the file, unpacked | 1 GiB |",
        "crates/watchpost-core/src/import/",
        &[" bytes: 1 << 30,"],
    ),
    (
        "docs/imports.md",
        "(all but OCSF and `TestResults.json`) | 128 MiB |",
        "crates/watchpost-core/src/import/",
        &["document_bytes: 128 << 20,"],
    ),
    (
        "docs/imports.md",
        "| one row | 4 MiB |",
        "crates/watchpost-core/src/import/",
        &["row_bytes: 4 << 20,"],
    ),
    (
        "docs/imports.md",
        "| rows | 200,000 |",
        "crates/watchpost-core/src/import/",
        &["rows: 200_000,"],
    ),
    (
        "docs/imports.md",
        "at most 8 KiB each",
        "crates/watchpost-core/src/import/",
        &["const DETAILS_CHARS_MAX: usize = 8 * 1_024;"],
    ),
    (
        "docs/rules.md",
        "`title` (at most 60 characters)",
        "crates/watchpost-policy/src/",
        &["const TITLE_CHARS_MAX: usize = 60;"],
    ),
    (
        "docs/rules.md",
        "small objects (16 KiB in all)",
        "crates/watchpost-policy/src/",
        &["const EVIDENCE_BYTES_MAX: usize = 16 * 1024;"],
    ),
    (
        "docs/rules.md",
        "besides its subject (at most 20)",
        "crates/watchpost-policy/src/",
        &["const APPS_MAX: usize = 20;"],
    ),
    (
        "docs/rules.md",
        "At most 200 files of 64 KiB, 2,000 lines and 1,024 columns; brackets nested at most 10 deep. On one document a rule may use 500,000\ninstructions and 250 ms; after it exceeds these limits three times, it is paused for ten minutes",
        "crates/watchpost-policy/src/",
        &[
            "files: 200,",
            "file_bytes: 64 * 1024,",
            "lines: 2_000,",
            "columns: 1_024,",
            "const NESTING_MAX: usize = 10;",
            "instructions: 500_000,",
            "time: Duration::from_millis(250),",
            "strikes: 3,",
            "pause: Duration::from_secs(600),",
        ],
    ),
];

#[test]
fn numbers_in_sentences_match_the_code() {
    let sources = production();
    let mut wrong = Vec::new();
    for (page, sentence, folder, declarations) in STATEMENTS {
        if !text(page).unwrap_or_default().contains(sentence) {
            wrong.push(format!("{page} doesn't contain `{sentence}`"));
        }
        for declaration in *declarations {
            let declared = sources
                .iter()
                .any(|source| source.path.starts_with(folder) && source.code.contains(declaration));
            if !declared {
                wrong.push(format!(
                    "`{declaration}` isn't declared in {folder}: is `{sentence}` in {page} still true?"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the words in backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Returns the first cell of each row of the tables of a page.
fn first_cells(page: &str) -> Vec<&str> {
    page.lines()
        .filter_map(|line| line.trim().strip_prefix("| `"))
        .filter_map(|line| line.split('|').next())
        .collect()
}

#[test]
fn the_readme_lists_the_tools_of_the_generated_page() {
    let generated = text("docs/tools.md").expect("the page of tools");
    let tools: BTreeSet<&str> = generated
        .lines()
        .filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'))
        .collect();
    assert!(tools.len() > 10, "the tools are not parsed correctly: {tools:?}");
    let (_, rest) = generated.split_once("write tools: ").expect("the write tools");
    let writing = quoted(rest.split(".\n").next().unwrap_or_default());
    let readme = text("README.md").expect("the README");
    let row = readme
        .lines()
        .find(|line| line.starts_with("| `get_risk_score`"))
        .expect("the row of tools");
    let mut cells = row.trim_matches('|').split('|').map(quoted);
    let (reading, changing) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
    assert_eq!(changing, writing, "README.md: tools of a write key");
    assert_eq!(
        reading,
        tools.difference(&writing).copied().collect(),
        "README.md: tools of any key"
    );
}

#[test]
fn the_page_of_commands_lists_all_commands() {
    let main = without_comments(&text("bins/watchpost/src/main.rs").expect("the program"));
    let (_, variants) = main.split_once("enum Command {").expect("the commands");
    let variants = variants.split("\n}").next().unwrap_or_default();
    let declared: BTreeSet<String> = variants
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| {
            let name = line
                .split(|c: char| !c.is_ascii_alphanumeric())
                .next()
                .unwrap_or_default();
            let mut words = String::new();
            for (place, c) in name.char_indices() {
                if c.is_ascii_uppercase() && place > 0 {
                    words.push('-');
                }
                words.push(c.to_ascii_lowercase());
            }
            words
        })
        .collect();
    let page = text("docs/cli.md").expect("the page of commands");
    let stated: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.trim_matches('|').split(" | ").next())
        .flat_map(quoted)
        .filter_map(|command| command.split([' ', '\\']).next())
        .map(str::to_owned)
        .collect();
    assert_eq!(stated, declared, "docs/cli.md against bins/watchpost/src/main.rs");
}

#[test]
fn the_page_of_prompts_lists_all_prompts() {
    let declared: BTreeSet<String> = files()
        .into_iter()
        .filter_map(|path| {
            let name = path
                .strip_prefix("crates/watchpost-mcp/src/prompts/")?
                .strip_suffix(".rs")?;
            (name != "mod" && !name.contains('/')).then(|| name.to_owned())
        })
        .collect();
    let page = text("docs/resources.md").expect("the page of prompts");
    let (_, prompts) = page.split_once("## Prompts").expect("its prompts");
    let prompts = prompts.split("\n## ").next().unwrap_or_default();
    let stated: BTreeSet<String> = first_cells(prompts)
        .into_iter()
        .filter_map(|cell| cell.split('`').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(stated, declared);
}

#[test]
fn the_pages_on_connecting_list_the_permissions_that_are_checked() {
    for (file, page, marks) in [
        (
            "m365/permission.rs",
            "docs/connect/m365.md",
            [".Read.", ".ReadWrite."],
        ),
        ("okta/scope.rs", "docs/connect/okta.md", ["okta.", "okta."]),
    ] {
        let source = text(&format!("crates/watchpost-connectors/src/{file}"))
            .expect("the names of the vendor's permissions");
        // Each string literal is one name; lists of names refer to them.
        let declared: BTreeSet<&str> = source
            .split('"')
            .skip(1)
            .step_by(2)
            .filter(|name| !name.contains(' '))
            .collect();
        assert!(declared.len() > 5, "{file}: {declared:?}");
        let content = text(page).expect("the page on connecting");
        let stated: BTreeSet<&str> = first_cells(&content)
            .into_iter()
            .filter_map(|cell| cell.split('`').next())
            .filter(|name| marks.iter().any(|mark| name.contains(mark)))
            .collect();
        assert_eq!(stated, declared, "{page}");
    }
}

#[test]
fn only_the_named_permissions_can_write_at_a_vendor() {
    // The vendor has no narrower permission. SECURITY.md names each of them.
    let allowed = ["ConfigurationMonitoring.ReadWrite.All", "Sites.FullControl.All"];
    let security = text("SECURITY.md").expect("SECURITY.md");
    for name in allowed {
        assert!(security.contains(name), "SECURITY.md doesn't name `{name}`");
    }
    for page in ["docs/connect/m365.md", "docs/connect/okta.md"] {
        let content = text(page).expect("the page on connecting");
        // An administrator runs the scripts, with rights of their own that Watchpost never gets.
        let prose: String = content.split("```").step_by(2).collect();
        for name in quoted(&prose) {
            let writes = [".ReadWrite", ".Write", ".FullControl", ".manage"]
                .iter()
                .any(|mark| name.contains(mark));
            assert!(!writes || allowed.contains(&name), "{page} asks for `{name}`");
        }
    }
}

#[test]
fn revisions_are_compared_only_in_their_module() {
    let mut wrong = Vec::new();
    for source in production() {
        if source.path.starts_with("crates/watchpost-protocol/src/revision") {
            continue;
        }
        let outside = !source.path.starts_with("crates/watchpost-protocol/")
            && !source.path.starts_with("crates/watchpost-transport/");
        for (number, line) in source.code.lines().enumerate() {
            let names = line.contains("Revision::V");
            let compares = names
                && (["==", "!=", ">=", "<=", " < ", " > ", "=>", "matches!"].iter())
                    .any(|operator| line.contains(operator));
            if compares {
                wrong.push(format!("{}:{}: compares revisions", source.path, number + 1));
            }
            if outside && (names || line.contains("Era::")) {
                wrong.push(format!(
                    "{}:{}: names a revision or an era",
                    source.path,
                    number + 1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
