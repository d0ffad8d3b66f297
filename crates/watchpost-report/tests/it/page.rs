//! The HTML page loads nothing, escapes foreign text, is well-formed, and shows every failure.

use crate::{
    company::{small, whole},
    formats::written,
};
use std::collections::BTreeSet;
use watchpost_core::{
    check::{CheckResult, ScanType, SkipReason},
    report::{ReportData, ReportFormat, ReportKind},
};

/// Text as it is escaped in the page.
fn escaped(text: &str) -> String {
    text.replace('\'', "&#39;")
}

fn page(data: &ReportData) -> String {
    written(data, ReportFormat::Html)
}

fn all() -> impl Iterator<Item = ReportData> {
    ReportKind::ALL.iter().flat_map(|kind| {
        ScanType::ALL.iter().flat_map(move |scan_type| {
            [false, true].into_iter().flat_map(move |difference| {
                [
                    small(*kind, *scan_type, difference),
                    whole(*kind, *scan_type, difference),
                ]
            })
        })
    })
}

/// The tags of a page in order, with their attributes, without the angle brackets.
fn tags(page: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        let end = after.find('>').expect("a tag ends");
        out.push(&after[..end]);
        rest = &after[end..];
    }
    out
}

#[test]
fn tags_are_balanced_and_ids_are_unique() {
    const VOID: &[&str] = &["meta", "br"];
    for data in all() {
        let page = page(&data);
        let mut open: Vec<&str> = Vec::new();
        let mut ids = BTreeSet::new();
        for tag in tags(&page) {
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{tag}");
                continue;
            }
            let name = tag.split([' ', '/']).next().unwrap();
            if let Some(id) = tag.split(" id=\"").nth(1).and_then(|rest| rest.split('"').next()) {
                assert!(ids.insert(id.to_owned()), "duplicate id {id}");
            }
            if !(tag.starts_with('!') || tag.ends_with('/') || VOID.contains(&name)) {
                open.push(name);
            }
        }
        assert_eq!(open, Vec::<&str>::new());
        for link in page.split("href=\"#").skip(1) {
            let target = link.split('"').next().unwrap();
            assert!(ids.contains(target), "{:?}: no {target}", data.kind);
        }
    }
}

#[test]
fn the_page_loads_nothing_and_has_no_scripts() {
    for data in all() {
        let page = page(&data);
        assert!(page.contains("Content-Security-Policy"));
        assert!(page.contains("default-src 'none'"));
        for tag in tags(&page) {
            let name = tag.split(' ').next().unwrap();
            assert!(
                ![
                    "script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use"
                ]
                .contains(&name),
                "{tag}"
            );
            for forbidden in [
                " src=",
                " srcset=",
                " style=",
                " onerror=",
                " onload=",
                " onclick=",
                "url(",
                "javascript:",
            ] {
                assert!(!tag.contains(forbidden) || tag.starts_with("meta"), "{tag}");
            }
            if let Some(target) = tag.split(" href=\"").nth(1) {
                assert_eq!(name, "a");
                let reference = target.starts_with("https://") && tag.contains("rel=\"noreferrer noopener\"");
                assert!(target.starts_with('#') || reference, "{tag}");
            }
        }
        let style = page
            .split("<style>")
            .nth(1)
            .unwrap()
            .split("</style>")
            .next()
            .unwrap();
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

#[test]
fn the_content_security_policy_allows_only_the_pages_own_style() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};
    let page = page(&small(ReportKind::Executive, ScanType::Compliance, false));
    let style = page
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    assert!(page.contains(&format!("style-src 'sha256-{hash}'")), "{hash}");
}

#[test]
fn foreign_text_is_escaped() {
    for kind in ReportKind::ALL {
        for difference in [false, true] {
            let page = page(&small(*kind, ScanType::Compliance, difference));
            assert!(!page.contains("<img"), "{kind}");
            assert!(
                page.contains("&#60;img src=x onerror=alert(1)&#62;"),
                "{kind} {difference}"
            );
        }
    }
}

#[test]
fn every_failed_check_is_shown() {
    for data in all().filter(|data| !data.difference) {
        let page = page(&data);
        let mut failed = 0;
        for detail in data
            .results
            .iter()
            .filter(|detail| detail.row.result == CheckResult::Failed)
        {
            failed += 1;
            assert!(
                page.contains(&escaped(&detail.row.title)),
                "{}",
                detail.row.check_id
            );
        }
        assert!(failed > 2);
    }
}

#[test]
fn skipped_checks_are_counted_by_reason() {
    for data in all() {
        let page = page(&data);
        for (reason, words) in [
            (SkipReason::NotApplicable, "not applicable"),
            (SkipReason::Unlicensed, "not licensed"),
            (SkipReason::Unreadable, "without readable settings"),
            (SkipReason::Manual, "for manual review"),
        ] {
            let count = data.counts.skipped[usize::from(reason.code())];
            assert!(
                count > 0 && page.contains(&format!("{count} {words}")),
                "{count} {words}"
            );
        }
        assert_eq!(
            page.contains("higher is better"),
            data.scan.scan_type == ScanType::Compliance
        );
        assert!(page.contains(&escaped("couldn't be read completely")));
    }
}

#[test]
fn charts_have_text_alternatives_and_tables_have_headers() {
    for data in all() {
        let page = page(&data);
        for tag in tags(&page) {
            if tag.starts_with("svg ") {
                assert!(
                    tag.contains("role=\"img\"") && tag.contains("aria-label=\""),
                    "{tag}"
                );
                assert!(!tag.contains("aria-label=\"\""), "{tag}");
            }
            if tag.starts_with("th ") || tag == "th" {
                assert!(tag.contains("scope="), "{tag}");
            }
        }
        assert_eq!(page.matches("<table").count(), page.matches("<thead").count());
        assert_eq!(page.matches("<h1").count(), 1);
        assert!(page.contains("<html lang=\"en\">"));
    }
}

#[test]
fn every_control_of_a_framework_is_shown() {
    let data = whole(ReportKind::Framework, ScanType::Compliance, false);
    let page = page(&data);
    for detail in &data.results {
        assert!(
            page.contains(&escaped(&detail.row.title)),
            "{}",
            detail.row.check_id
        );
        for id in &detail.row.frameworks {
            assert!(page.contains(&format!(">{id}<")), "{id}");
        }
    }
}

#[test]
fn the_evidence_export_has_values_evidence_entities_hashes_and_exemptions() {
    let data = small(ReportKind::Evidence, ScanType::Compliance, false);
    let page = page(&data);
    for part in [
        "Mara Holt",
        "id-of-9",
        "&#34;excluded&#34;",
        "&#34;field&#34;: &#34;Enabled&#34;",
        &"ab".repeat(32),
        "An emergency account, monitored by the operations center.",
        "the 2 excluded users were exempted",
        "https://graph.example/powerbi/Settings",
        "Tenant.Read.All",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
