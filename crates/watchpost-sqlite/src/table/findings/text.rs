//! The words of findings. What a caller types is split into words here, so that nothing of it is query syntax.

use crate::base::{fault::Res, row::code};
use rusqlite::{Connection, params};
use watchpost_core::value::word::Platform;

/// Words of a search that are looked at.
const WORDS_MAX: usize = 16;

/// What is indexed of a finding.
pub(super) struct Indexed<'a> {
    pub(super) title: &'a str,
    pub(super) name: &'a str,
    pub(super) email: Option<&'a str>,
    pub(super) rule_id: &'a str,
    pub(super) platforms: i64,
}

/// Indexes a finding; `known` if it is indexed already.
pub(super) fn index(conn: &Connection, rowid: i64, known: bool, what: &Indexed<'_>) -> Res<()> {
    if known {
        conn.prepare_cached("DELETE FROM findings_text WHERE rowid = ?1")?
            .execute([rowid])?;
    }
    let words = format!("{} {} {}", what.title, what.name, what.email.unwrap_or_default());
    let platforms: Vec<&str> = Platform::ALL
        .iter()
        .filter(|platform| what.platforms & bit(**platform) != 0)
        .map(|platform| platform_word(*platform))
        .collect();
    conn.prepare_cached("INSERT INTO findings_text (rowid, words, rule, platforms) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![rowid, words, what.rule_id, platforms.join(" ")])?;
    Ok(())
}

/// Takes a finding out of the index.
pub(super) fn forget(conn: &Connection, rowid: i64) -> Res<()> {
    conn.prepare_cached("DELETE FROM findings_text WHERE rowid = ?1")?
        .execute([rowid])?;
    Ok(())
}

/// A platform's bit in the column `platforms`.
pub(super) fn bit(platform: Platform) -> i64 {
    1 << code(platform)
}

/// A platform as one word of the index.
fn platform_word(platform: Platform) -> &'static str {
    match platform {
        // The tokenizer would make two words of it.
        Platform::GoogleWorkspace => "googleworkspace",
        other => other.as_str(),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX)
        .map(|word| word.chars().take(64).collect())
        .collect()
}

/// The search expression for a text, a rule and platforms; `None` if nothing can match.
pub(super) fn expression(text: Option<&str>, rule: Option<&str>, platforms: &[Platform]) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(text) = text {
        let words = words(text);
        if words.is_empty() {
            return None;
        }
        // Letters and digits alone stand between the quotes.
        let all: Vec<String> = words.iter().map(|word| format!("\"{word}\" *")).collect();
        parts.push(format!("{{words rule}} : ({})", all.join(" AND ")));
    }
    if let Some(rule) = rule {
        let words = words(rule);
        if words.is_empty() {
            return None;
        }
        parts.push(format!("rule : \"{}\"", words.join(" ")));
    }
    if !platforms.is_empty() {
        let any: Vec<String> = platforms
            .iter()
            .map(|platform| format!("\"{}\"", platform_word(*platform)))
            .collect();
        parts.push(format!("platforms : ({})", any.join(" OR ")));
    }
    Some(parts.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_words_and_never_syntax() {
        let check = |typed: &str, expected: Option<&str>| {
            assert_eq!(expression(Some(typed), None, &[]).as_deref(), expected, "{typed}");
        };
        check("ann holt", Some("{words rule} : (\"ann\" * AND \"holt\" *)"));
        check(
            "ann\" OR words:* NEAR(",
            Some("{words rule} : (\"ann\" * AND \"OR\" * AND \"words\" * AND \"NEAR\" *)"),
        );
        check("-^*\"()", None);
        check("", None);
        check("é", Some("{words rule} : (\"é\" *)"));
    }
}
