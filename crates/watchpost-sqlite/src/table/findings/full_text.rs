//! The full-text index of findings. A caller's search text is split into words here, so that no part of it is interpreted
//! as query syntax.

use crate::base::{fault::Res, row::code};
use rusqlite::{Connection, params};
use watchpost_core::value::word::Platform;

/// The most words of a search text that are used.
const WORDS_MAX: usize = 16;

/// The values of a finding that are indexed.
pub(super) struct Indexed<'a> {
    pub(super) title: &'a str,
    pub(super) name: &'a str,
    pub(super) email: Option<&'a str>,
    pub(super) rule_id: &'a str,
    pub(super) platforms: i64,
}

/// Indexes a finding. `is_indexed` must be set if the finding is indexed already.
pub(super) fn index(conn: &Connection, rowid: i64, is_indexed: bool, indexed: &Indexed<'_>) -> Res<()> {
    if is_indexed {
        conn.prepare_cached("DELETE FROM findings_text WHERE rowid = ?1")?
            .execute([rowid])?;
    }
    let words = format!(
        "{} {} {}",
        indexed.title,
        indexed.name,
        indexed.email.unwrap_or_default()
    );
    let platforms: Vec<&str> = Platform::ALL
        .iter()
        .filter(|platform| indexed.platforms & platform_bit(**platform) != 0)
        .map(|platform| platform_word(*platform))
        .collect();
    conn.prepare_cached("INSERT INTO findings_text (rowid, words, rule, platforms) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![rowid, words, indexed.rule_id, platforms.join(" ")])?;
    Ok(())
}

/// Removes a finding from the index.
pub(super) fn remove(conn: &Connection, rowid: i64) -> Res<()> {
    conn.prepare_cached("DELETE FROM findings_text WHERE rowid = ?1")?
        .execute([rowid])?;
    Ok(())
}

/// Returns the bit of a platform in the column `platforms`.
pub(super) fn platform_bit(platform: Platform) -> i64 {
    1 << code(platform)
}

/// Returns the word of a platform in the index.
fn platform_word(platform: Platform) -> &'static str {
    match platform {
        // The tokenizer would split `google_workspace` into two words.
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

/// Returns the search expression for a text, a rule and platforms, or `None` if nothing can match.
pub(super) fn expression(text: Option<&str>, rule: Option<&str>, platforms: &[Platform]) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(text) = text {
        let words = words(text);
        if words.is_empty() {
            return None;
        }
        // The words consist of letters and digits only, so quoting them is safe.
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
    fn search_text_is_never_interpreted_as_query_syntax() {
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
