//! Evaluation of SPF records (RFC 7208): the number of lookups (section 4.6.4), and the qualifier of `all`.

use std::collections::VecDeque;
use watchpost_outbound::dns::{DnsAnswer, DomainResolver, RecordKind, domain_name};

/// The number of lookups after which the evaluation stops. Receivers stop at ten.
const LOOKUPS_MAX: u32 = 40;

/// The result of evaluating a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SpfTree {
    /// Whether a lookup failed, so that the counts are too low.
    pub(super) failed: bool,
    /// The number of terms that require a lookup.
    pub(super) lookups: u32,
    /// The number of lookups that found no record (void lookups).
    pub(super) voids: u32,
    /// The qualifier of `all`, which applies to all other senders: `-`, `~`, `?` or `+`; `None` if there is no `all`.
    pub(super) all: Option<char>,
    /// An included domain whose record allows every sender.
    pub(super) open: Option<String>,
    /// An included domain, or the target of a redirect, that doesn't have exactly one record. Receivers treat that as an
    /// error (RFC 7208, section 5.2).
    pub(super) broken: Option<String>,
}

/// A record to evaluate.
struct Waiting {
    domain: String,
    record: String,
    /// Whether the `all` of the record applies to the whole.
    is_main: bool,
    /// Whether a sender that the record allows passes the whole.
    passes: bool,
}

/// A term of a record.
#[derive(Debug, PartialEq, Eq)]
enum Term<'r> {
    Include(&'r str),
    Redirect(&'r str),
    /// The addresses of a name, or of the domain itself.
    A(Option<&'r str>),
    Mx(Option<&'r str>),
    Exists(&'r str),
    Ptr,
    All(char),
    /// A term that requires no lookup.
    Free,
}

/// Whether a text is an SPF record.
pub(super) fn is_spf(text: &str) -> bool {
    text.split_ascii_whitespace()
        .next()
        .is_some_and(|first| first.eq_ignore_ascii_case("v=spf1"))
}

/// Returns the SPF record in an answer; `None` unless there is exactly one.
pub(super) fn record(answer: &DnsAnswer) -> Option<&str> {
    let mut records = answer.records().iter().filter(|text| is_spf(text));
    let first = records.next()?;
    records.next().is_none().then_some(first.as_str())
}

/// Returns the qualifier of a term. `+` is the default.
fn sign(text: &str) -> char {
    text.chars()
        .next()
        .filter(|first| matches!(first, '-' | '~' | '?'))
        .unwrap_or('+')
}

fn term(text: &str) -> Term<'_> {
    let rest = text.strip_prefix(['+', '-', '~', '?']).unwrap_or(text);
    let end = rest.find([':', '=', '/']).unwrap_or(rest.len());
    let (name, argument) = rest.split_at(end);
    // A prefix length may follow the name: `a:mail.example/24`.
    let target = argument
        .strip_prefix([':', '='])
        .map(|value| value.split('/').next().unwrap_or_default())
        .filter(|value| !value.is_empty());
    match (name.to_ascii_lowercase().as_str(), target) {
        ("include", Some(name)) => Term::Include(name),
        ("redirect", Some(name)) => Term::Redirect(name),
        ("exists", Some(name)) => Term::Exists(name),
        ("a", name) => Term::A(name),
        ("mx", name) => Term::Mx(name),
        ("ptr", _) => Term::Ptr,
        ("all", None) => Term::All(sign(text)),
        _ => Term::Free,
    }
}

/// Returns the name in a term; macros that stand for the domain itself are expanded. `None` if the name depends on the
/// sender or isn't a domain name.
fn target(name: &str, at: &str) -> Option<String> {
    let name = ["%{d}", "%{D}"]
        .iter()
        .fold(name.to_owned(), |name, text| name.replace(text, at));
    domain_name(&name).ok()
}

/// Evaluates the record of `domain`, with the records that it includes, up to [`LOOKUPS_MAX`] lookups.
pub(super) async fn follow(resolver: &dyn DomainResolver, domain: &str, record_text: &str) -> SpfTree {
    let mut tree = SpfTree::default();
    let mut waiting = VecDeque::from([Waiting {
        domain: domain.to_owned(),
        record: record_text.to_owned(),
        is_main: true,
        passes: true,
    }]);
    while let Some(current) = waiting.pop_front() {
        let at = &current.domain;
        let terms: Vec<&str> = current.record.split_ascii_whitespace().skip(1).collect();
        let end = terms.iter().position(|text| matches!(term(text), Term::All(_)));
        let all = end.and_then(|end| terms.get(end)).map(|text| sign(text));
        if current.is_main && all.is_some() {
            tree.all = all;
        }
        if !current.is_main && current.passes && all == Some('+') {
            tree.open.get_or_insert_with(|| at.clone());
        }
        // Receivers ignore the mechanisms after `all`.
        for text in terms.iter().take(end.unwrap_or(terms.len())) {
            let (name, kind, is_main) = match term(text) {
                Term::Include(name) => (Some(name), RecordKind::Txt, false),
                // A redirect is ignored if the record has an `all` (RFC 7208, section 6.1).
                Term::Redirect(name) if all.is_none() => (Some(name), RecordKind::Txt, current.is_main),
                Term::A(name) => (Some(name.unwrap_or(at)), RecordKind::Address, false),
                Term::Exists(name) => (Some(name), RecordKind::Address, false),
                Term::Mx(name) => (Some(name.unwrap_or(at)), RecordKind::Mx, false),
                Term::Ptr => (None, RecordKind::Address, false),
                Term::Redirect(_) | Term::All(_) | Term::Free => continue,
            };
            tree.lookups = tree.lookups.saturating_add(1);
            if tree.lookups >= LOOKUPS_MAX {
                return tree;
            }
            // A name with macros depends on the sender and can't be looked up here, but counts as a lookup.
            let Some(name) = name.and_then(|name| target(name, at)) else {
                // Where such a redirect leads is unknown.
                tree.failed |= is_main;
                continue;
            };
            let answer = resolver.lookup(&name, kind).await;
            match &answer {
                DnsAnswer::Failed => tree.failed = true,
                DnsAnswer::Empty | DnsAnswer::NoSuchName => tree.voids = tree.voids.saturating_add(1),
                DnsAnswer::Found(_) => {}
            }
            if kind != RecordKind::Txt || answer == DnsAnswer::Failed {
                continue;
            }
            match record(&answer) {
                Some(next) => waiting.push_back(Waiting {
                    record: next.to_owned(),
                    domain: name,
                    is_main,
                    passes: current.passes && sign(text) == '+',
                }),
                None => {
                    tree.broken.get_or_insert(name);
                }
            }
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use std::collections::BTreeMap;

    struct Fixed(BTreeMap<(&'static str, RecordKind), DnsAnswer>);

    #[async_trait]
    impl DomainResolver for Fixed {
        async fn lookup(&self, name: &str, kind: RecordKind) -> DnsAnswer {
            self.0
                .get(&(name, kind))
                .cloned()
                .unwrap_or(DnsAnswer::NoSuchName)
        }
    }

    fn txt(text: &str) -> DnsAnswer {
        DnsAnswer::Found(vec![text.to_owned()])
    }

    async fn tree(record: &str, names: &[(&'static str, RecordKind, DnsAnswer)]) -> SpfTree {
        let names = names
            .iter()
            .map(|(name, kind, answer)| ((*name, *kind), answer.clone()))
            .collect();
        follow(&Fixed(names), "birchworks.example", record).await
    }

    #[test]
    fn terms_are_parsed() {
        assert_eq!(term("-all"), Term::All('-'));
        assert_eq!(term("ALL"), Term::All('+'));
        assert_eq!(
            term("include:_spf.post.example"),
            Term::Include("_spf.post.example")
        );
        assert_eq!(term("a:mail.example/24"), Term::A(Some("mail.example")));
        assert_eq!(term("mx/24"), Term::Mx(None));
        assert_eq!(term("?exists:%{i}.example"), Term::Exists("%{i}.example"));
        assert_eq!(term("redirect=b.example"), Term::Redirect("b.example"));
        assert_eq!(term("ip4:203.0.113.0/24"), Term::Free);
        assert_eq!(term("include:"), Term::Free);
    }

    #[tokio::test]
    async fn lookups_in_included_records_are_counted() {
        let found = tree(
            "v=spf1 mx include:_spf.post.example ip4:203.0.113.7 ~all",
            &[
                (
                    "birchworks.example",
                    RecordKind::Mx,
                    txt("10 mx.birchworks.example."),
                ),
                (
                    "_spf.post.example",
                    RecordKind::Txt,
                    txt("v=spf1 a:gone.post.example ptr -all"),
                ),
            ],
        )
        .await;
        let expected = SpfTree {
            failed: false,
            lookups: 4,
            voids: 1,
            all: Some('~'),
            open: None,
            broken: None,
        };
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn the_all_of_a_redirect_applies_and_that_of_an_include_does_not() {
        let names = [
            ("_spf.post.example", RecordKind::Txt, txt("v=spf1 +all")),
            ("strict.example", RecordKind::Txt, txt("v=spf1 -all")),
        ];
        let found = tree("v=spf1 include:_spf.post.example redirect=strict.example", &names).await;
        assert_eq!((found.lookups, found.all), (2, Some('-')));
        let found = tree("v=spf1 include:_spf.post.example", &names).await;
        assert_eq!(found.all, None);
        let found = tree("v=spf1 ?all redirect=strict.example", &names).await;
        assert_eq!((found.lookups, found.all), (0, Some('?')));
    }

    #[tokio::test]
    async fn a_repeated_include_counts_each_time_and_a_cycle_ends() {
        let twice = [("b.example", RecordKind::Txt, txt("v=spf1 a:c.example -all"))];
        assert_eq!(
            tree("v=spf1 include:b.example include:b.example -all", &twice)
                .await
                .lookups,
            4
        );
        let circle = [(
            "b.example",
            RecordKind::Txt,
            txt("v=spf1 include:b.example redirect=b.example"),
        )];
        assert_eq!(
            tree("v=spf1 include:b.example", &circle).await.lookups,
            LOOKUPS_MAX
        );
        let long = format!("v=spf1 {}-all", "a ".repeat(500));
        assert_eq!(tree(&long, &[]).await.lookups, LOOKUPS_MAX);
    }

    #[tokio::test]
    async fn mechanisms_after_all_are_ignored() {
        let found = tree("v=spf1 mx -all include:b.example a:c.example", &[]).await;
        assert_eq!((found.lookups, found.all), (1, Some('-')));
    }

    #[tokio::test]
    async fn an_include_that_allows_everyone_is_reported() {
        let names = [
            ("open.example", RecordKind::Txt, txt("v=spf1 +all")),
            (
                "post.example",
                RecordKind::Txt,
                txt("v=spf1 include:open.example -all"),
            ),
        ];
        for (record, open) in [
            ("v=spf1 include:open.example -all", Some("open.example")),
            ("v=spf1 include:post.example -all", Some("open.example")),
            ("v=spf1 ?include:open.example -all", None),
            ("v=spf1 -all include:open.example", None),
        ] {
            assert_eq!(tree(record, &names).await.open.as_deref(), open, "{record}");
        }
    }

    #[tokio::test]
    async fn an_include_or_a_redirect_without_exactly_one_record_is_reported() {
        let names = [
            (
                "two.example",
                RecordKind::Txt,
                DnsAnswer::Found(vec!["v=spf1 -all".to_owned(), "v=spf1 mx -all".to_owned()]),
            ),
            ("other.example", RecordKind::Txt, txt("a note")),
        ];
        for name in ["two.example", "other.example", "gone.example"] {
            for record in [
                format!("v=spf1 include:{name} -all"),
                format!("v=spf1 redirect={name}"),
            ] {
                assert_eq!(
                    tree(&record, &names).await.broken.as_deref(),
                    Some(name),
                    "{record}"
                );
            }
        }
    }

    #[tokio::test]
    async fn macros_that_stand_for_the_domain_are_expanded() {
        let names = [(
            "birchworks.example.spf.example",
            RecordKind::Txt,
            txt("v=spf1 -all"),
        )];
        assert_eq!(
            tree("v=spf1 redirect=%{d}.spf.example", &names).await.all,
            Some('-')
        );
        assert!(tree("v=spf1 redirect=%{i}.spf.example", &names).await.failed);
    }

    #[tokio::test]
    async fn a_failed_lookup_is_reported() {
        let names = [("b.example", RecordKind::Txt, DnsAnswer::Failed)];
        assert!(tree("v=spf1 include:b.example -all", &names).await.failed);
    }

    #[tokio::test]
    async fn names_with_macros_are_counted_but_not_looked_up() {
        let found = tree("v=spf1 exists:%{i}._spf.example -all", &[]).await;
        assert_eq!((found.lookups, found.voids), (1, 0));
    }
}
