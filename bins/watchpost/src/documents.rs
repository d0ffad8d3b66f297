//! Tests that compare docs/cli.md and docs/cli-reference.md with the command line.

use crate::{Cli, failure::code};
use clap::{Arg, Command, CommandFactory as _};
use std::{collections::BTreeSet, fmt::Write as _, fs};

const GUIDE: &str = include_str!("../../../docs/cli.md");
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli-reference.md");

/// The whole command line, including everything that clap derives.
fn built() -> Command {
    let mut root = Cli::command();
    root.build();
    root
}

/// The subcommands without the `help` that clap adds to each group.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
}

/// Visits every command that isn't a group, with the words that call it after `watchpost`.
fn visit_commands(command: &Command, path: &[&str], visit: &mut dyn FnMut(&[&str], &Command)) {
    for sub in subcommands(command) {
        let path = [path, &[sub.get_name()]].concat();
        if sub.has_subcommands() {
            visit_commands(sub, &path, visit);
        } else {
            visit(&path, sub);
        }
    }
}

fn command_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    visit_commands(&built(), &[], &mut |path, _| {
        names.insert(path.join(" "));
    });
    names
}

/// The texts in backticks. No line of a table breaks one.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The cells of each row of the table whose header begins with `title`.
fn table(title: &str) -> Vec<Vec<String>> {
    let begins = format!("| {title} |");
    let rows: Vec<Vec<String>> = GUIDE
        .lines()
        .skip_while(|line| !line.starts_with(&begins))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            // A bar inside a cell is written `\|`.
            line.replace("\\|", "\0")
                .split('|')
                .map(|cell| cell.trim().replace('\0', "|"))
                .collect()
        })
        .collect();
    assert!(!rows.is_empty(), "docs/cli.md has no table `{title}`");
    rows
}

/// Expands `keys create | list | revoke` to three commands. Words that aren't the name of a subcommand are arguments.
fn commands_of(cell: &str) -> Vec<String> {
    let mut names = Vec::new();
    for span in code_spans(cell) {
        let (first, rest) = span.split_once(' ').unwrap_or((span, ""));
        let is_group = built()
            .find_subcommand(first)
            .is_some_and(Command::has_subcommands);
        if is_group {
            names.extend(rest.split('|').map(|sub| format!("{first} {}", sub.trim())));
        } else {
            names.push(first.to_owned());
        }
    }
    names
}

#[test]
fn the_guide_has_a_row_for_every_command_and_no_other_rows() {
    let documented: Vec<String> = table("command")
        .iter()
        .flat_map(|row| commands_of(&row[1]))
        .collect();
    let unique: BTreeSet<String> = documented.iter().cloned().collect();
    assert_eq!(unique.len(), documented.len(), "a command has two rows");
    assert_eq!(unique, command_names());
}

#[test]
fn every_flag_in_the_guide_belongs_to_its_command() {
    let root = built();
    let flags_of = |command: &Command| -> BTreeSet<String> {
        command
            .get_arguments()
            .filter_map(Arg::get_long)
            .map(|long| format!("--{long}"))
            .collect()
    };
    let mut all = BTreeSet::new();
    let mut by_command = Vec::new();
    visit_commands(&root, &[], &mut |path, command| {
        let flags = flags_of(command);
        all.extend(flags.iter().cloned());
        by_command.push((path.join(" "), flags));
    });
    let mut seen = 0;
    let mut check = |text: &str, known: &BTreeSet<String>, place: &str| {
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            if word.len() > 2 && word.starts_with("--") {
                seen += 1;
                assert!(known.contains(word), "docs/cli.md: {place} has no {word}");
            }
        }
    };
    for row in table("command") {
        let names = commands_of(&row[1]);
        let of_row: BTreeSet<String> = by_command
            .iter()
            .filter(|(name, _)| names.contains(name))
            .flat_map(|(_, flags)| flags.iter().cloned())
            .collect();
        check(&row.concat(), &of_row, &names.join(", "));
    }
    // A command line on its own line or in a sentence.
    for line in GUIDE.lines().filter(|line| !line.starts_with('|')) {
        let spans: Vec<&str> = if line.starts_with("watchpost ") {
            vec![line]
        } else {
            code_spans(line).collect()
        };
        for span in spans {
            let named = span.strip_prefix("watchpost ").and_then(|words| {
                by_command
                    .iter()
                    .find(|(name, _)| words == name || words.starts_with(&format!("{name} ")))
            });
            match named {
                Some((name, flags)) => check(span, flags, name),
                None => check(span, &all, "no command"),
            }
        }
    }
    assert!(seen > 20, "only {seen} flags were checked");
}

#[test]
fn the_guide_explains_exactly_the_existing_exit_codes() {
    let documented: Vec<u8> = table("code")
        .iter()
        .map(|row| row[1].parse().expect("a code"))
        .collect();
    let mut known = vec![0];
    known.extend(code::ALL.iter().map(|code| code.number()));
    assert_eq!(documented, known);
}

/// A row of the reference.
fn argument_row(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    if argument.get_action().takes_values() {
        let words = |values: Vec<String>| {
            let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            quoted.join(", ")
        };
        let possible: Vec<String> = argument
            .get_possible_values()
            .iter()
            .map(|value| value.get_name().to_owned())
            .collect();
        if !possible.is_empty() {
            let _ = write!(text, ": {}", words(possible));
        }
        let defaults: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy().into_owned())
            .collect();
        if !defaults.is_empty() {
            let _ = write!(text, " (default {})", words(defaults));
        }
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(text, " (or `{}`)", variable.to_string_lossy());
    }
    format!("| `{argument}` | {} |\n", text.replace('|', "\\|"))
}

fn argument_table<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let rows: String = arguments
        .filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
        .map(argument_row)
        .collect();
    if rows.is_empty() {
        return rows;
    }
    format!("\n| argument | meaning |\n| --- | --- |\n{rows}")
}

/// The page docs/cli-reference.md. To update it: `UPDATE_DOCS=1 cargo test -p watchpost`.
fn reference() -> String {
    let root = built();
    let mut page = String::from(
        "# Command line reference\n\nEvery command with its arguments. A test generates this page from the help texts: `UPDATE_DOCS=1 cargo test -p \
         watchpost` updates it. For a guide see [cli.md](cli.md).\n\n## Arguments of every command\n",
    );
    page.push_str(&argument_table(
        root.get_arguments().filter(|argument| argument.is_global_set()),
    ));
    visit_commands(&root, &[], &mut |path, command| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let own = command
            .get_arguments()
            .filter(|argument| !argument.is_global_set());
        let _ = write!(
            page,
            "\n## `watchpost {}`\n\n{about}.\n{}",
            path.join(" "),
            argument_table(own)
        );
    });
    page
}

#[test]
fn the_reference_is_up_to_date() {
    let page = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(REFERENCE, &page).expect("the page is written");
    }
    let stored = fs::read_to_string(REFERENCE).unwrap_or_default();
    assert!(
        stored == page,
        "docs/cli-reference.md is out of date: UPDATE_DOCS=1 cargo test -p watchpost"
    );
}
