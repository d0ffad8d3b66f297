//! Evaluation of SPF records (RFC 7208): the number of lookups (section 4.6.4), and the qualifier of `all`.

use std::collections::{BTreeSet, VecDeque};
use watchpost_outbound::dns::{DnsAnswer, DomainResolver, RecordKind, domain_name};

/// The number of lookups after which the evaluation stops. Receivers stop at ten.
const LOOKUPS_MAX: u32 = 40;

/// The result of evaluating a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SpfTree {
    /// Whether a lookup failed, so that the counts are too low.
    pub(super) failed: bool,
    /// The number of terms that require a lookup.
    pub(super) lookups: u32,
    /// The number of lookups that found no record (void lookups).
    pub(super) voids: u32,
    /// The qualifier of `all`, which applies to all other senders: `-`, `~`, `?` or `+`; `None` if there is no `all`.
    pub(super) all: Option<char>,
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

fn term(text: &str) -> Term<'_> {
    let (sign, rest) = match text.chars().next() {
        Some(sign @ ('+' | '-' | '~' | '?')) => (sign, text.get(1..).unwrap_or_default()),
        _ => ('+', text),
    };
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
        ("all", None) => Term::All(sign),
        _ => Term::Free,
    }
}

/// Evaluates the record of `domain`, with the records that it includes, up to [`LOOKUPS_MAX`] lookups.
pub(super) async fn follow(resolver: &dyn DomainResolver, domain: &str, record_text: &str) -> SpfTree {
    let mut tree = SpfTree::default();
    let mut seen = BTreeSet::from([domain.to_owned()]);
    // The records still to evaluate. `true` means that the `all` of the record applies to the whole.
    let mut waiting = VecDeque::from([(domain.to_owned(), record_text.to_owned(), true)]);
    while let Some((at, text, main)) = waiting.pop_front() {
        let terms: Vec<Term<'_>> = text.split_ascii_whitespace().skip(1).map(term).collect();
        let all = terms.iter().find_map(|term| match term {
            Term::All(sign) => Some(*sign),
            _ => None,
        });
        if main && all.is_some() {
            tree.all = all;
        }
        for term in &terms {
            let (name, kind, next_main) = match term {
                Term::Include(name) => (Some(*name), RecordKind::Txt, false),
                // A redirect is ignored if the record has an `all` (RFC 7208, section 6.1).
                Term::Redirect(name) if all.is_none() => (Some(*name), RecordKind::Txt, main),
                Term::A(name) => (Some(name.unwrap_or(&at)), RecordKind::Address, false),
                Term::Exists(name) => (Some(*name), RecordKind::Address, false),
                Term::Mx(name) => (Some(name.unwrap_or(&at)), RecordKind::Mx, false),
                Term::Ptr => (None, RecordKind::Address, false),
                Term::Redirect(_) | Term::All(_) | Term::Free => continue,
            };
            tree.lookups = tree.lookups.saturating_add(1);
            if tree.lookups >= LOOKUPS_MAX {
                return tree;
            }
            // A name with macros depends on the sender and can't be looked up here, but counts as a lookup.
            let Some(name) = name.and_then(|name| domain_name(name).ok()) else {
                continue;
            };
            let answer = resolver.lookup(&name, kind).await;
            match &answer {
                DnsAnswer::Failed => tree.failed = true,
                DnsAnswer::Empty | DnsAnswer::NoSuchName => tree.voids = tree.voids.saturating_add(1),
                DnsAnswer::Found(_) => {}
            }
            if kind == RecordKind::Txt
                && let Some(next) = record(&answer)
                && seen.insert(name.clone())
            {
                waiting.push_back((name, next.to_owned(), next_main));
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
    async fn cycles_and_long_records_end() {
        let circle = [(
            "b.example",
            RecordKind::Txt,
            txt("v=spf1 include:b.example redirect=b.example"),
        )];
        assert_eq!(tree("v=spf1 include:b.example", &circle).await.lookups, 3);
        let long = format!("v=spf1 {}-all", "a ".repeat(500));
        assert_eq!(tree(&long, &[]).await.lookups, LOOKUPS_MAX);
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
