//! The rule engine, through its port.

use crate::documents::{DAY_MS, account, app, identity, integration, integration_ref};
use std::{sync::Arc, time::Duration};
use watchpost_core::{
    integration::fact::Dataset,
    rule::{
        Evaluation, RuleEngine,
        document::{Document, EntityRef},
    },
    value::word::{AccountStatus, GrantKind, GrantRisk, Mfa, Platform},
};
use watchpost_policy::{Pack, RegoRules, cases::NOW_MS};

fn ids(engine: &RegoRules, evaluation: &Evaluation) -> Vec<String> {
    evaluation
        .hits
        .iter()
        .map(|hit| engine.rules()[hit.rule].id.clone())
        .collect()
}

async fn judge(documents: Vec<Document>) -> (Vec<String>, Evaluation) {
    let engine = RegoRules::with_threads(Pack::builtin(), 2);
    let evaluation = engine.evaluate(Arc::new(documents), NOW_MS).await.unwrap();
    assert!(evaluation.failures.is_empty(), "{:?}", evaluation.failures);
    (ids(&engine, &evaluation), evaluation)
}

#[tokio::test]
async fn healthy_documents_have_no_findings() {
    let mut small = identity(2);
    small.accounts = vec![account(Platform::Okta)];
    small.accounts[0].roles.clear();
    small.accounts[0].grants.clear();
    let mut bare = identity(3);
    bare.accounts.clear();
    let documents = vec![
        Document::Identity(Box::new(identity(1))),
        Document::Identity(Box::new(small)),
        Document::Identity(Box::new(bare)),
        Document::App(Box::new(app())),
        Document::Integration(Box::new(integration())),
    ];
    assert_eq!(judge(documents).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn a_hit_has_its_entity_sentence_evidence_and_apps() {
    let mut doc = identity(7);
    doc.accounts[0].status = AccountStatus::Suspended;
    doc.accounts[1].status = AccountStatus::Suspended;
    doc.accounts[1].grants.clear();
    let (ids, evaluation) = judge(vec![Document::Identity(Box::new(doc))]).await;
    assert_eq!(ids, ["id.offboarded_grants"]);
    let hit = &evaluation.hits[0];
    assert_eq!(hit.entity, Document::Identity(Box::new(identity(7))).entity());
    assert_eq!(
        hit.title.untrusted(),
        "Mara Holt (mara.holt@birchworks.example) is suspended in Microsoft 365 but still holds 1 app permission or \
         token (Ledgerly), so apps can still act for a person who left"
    );
    assert_eq!(hit.apps, [crate::documents::app().id]);
    let evidence: serde_json::Value = serde_json::from_str(&hit.evidence).unwrap();
    assert_eq!(evidence[0]["platform"], "m365");
}

#[tokio::test]
async fn a_rule_without_a_fact_that_it_needs_has_not_judged_the_entity() {
    let engine = RegoRules::with_threads(Pack::builtin(), 1);
    let unjudged = async |mfa: Mfa, resistant: Option<bool>, unreadable: &[Dataset]| {
        let mut doc = identity(1);
        doc.accounts.truncate(1);
        doc.accounts[0].mfa = mfa;
        doc.accounts[0].phishing_resistant = resistant;
        doc.accounts[0].integration = integration_ref(Platform::M365, unreadable);
        doc.integrations = Arc::new(vec![integration_ref(Platform::M365, unreadable)]);
        let documents = Arc::new(vec![Document::Identity(Box::new(doc))]);
        let evaluation = engine.evaluate(documents, NOW_MS).await.unwrap();
        let ids = evaluation.unjudged.iter().map(|(rule, entity)| {
            assert_eq!(*entity, Document::Identity(Box::new(identity(1))).entity());
            engine.rules()[*rule].id.clone()
        });
        let mut ids: Vec<String> = ids.filter(|id| id.starts_with("id.admin_")).collect();
        ids.sort();
        ids
    };
    assert_eq!(unjudged(Mfa::On, Some(true), &[]).await, Vec::<String>::new());
    assert_eq!(
        unjudged(Mfa::On, None, &[]).await,
        ["id.admin_no_phish_resistant"]
    );
    assert_eq!(
        unjudged(Mfa::Unknown, None, &[]).await,
        [
            "id.admin_no_mfa",
            "id.admin_no_phish_resistant",
            "id.admin_weak_mfa"
        ]
    );
    // Findings whose datasets can't be read stay anyway.
    assert_eq!(
        unjudged(Mfa::Unknown, None, &[Dataset::Mfa]).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn hits_are_in_the_order_of_documents_and_rules_on_any_number_of_threads() {
    let documents: Vec<Document> = (0..200_u8)
        .map(|number| {
            let mut doc = identity(number);
            doc.accounts[0].mfa = Mfa::Off;
            if number % 2 == 0 {
                doc.accounts[0].roles.clear();
                doc.accounts[0].last_active_ms = Some(NOW_MS - 200 * DAY_MS);
            }
            Document::Identity(Box::new(doc))
        })
        .collect();
    let documents = Arc::new(documents);
    let mut outcomes = Vec::new();
    for threads in [1, 2, 5] {
        let engine = RegoRules::with_threads(Pack::builtin(), threads);
        let hits = engine
            .evaluate(Arc::clone(&documents), NOW_MS)
            .await
            .unwrap()
            .hits;
        let keys: Vec<(EntityRef, usize)> = hits.iter().map(|hit| (hit.entity, hit.rule)).collect();
        let mut sorted = keys.clone();
        sorted.sort_by_key(|(entity, rule)| (entity.id_bytes()[0], *rule));
        assert_eq!(keys, sorted);
        outcomes.push(hits);
    }
    assert!(outcomes[0].len() >= 400);
    assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn unreadable_data_is_not_judged() {
    let unread = |dataset: Dataset| {
        let mut doc = identity(1);
        for account in &mut doc.accounts {
            account.mfa = Mfa::Off;
            account.last_active_ms = Some(NOW_MS - 500 * DAY_MS);
            account.integration = integration_ref(account.integration.platform, &[dataset]);
        }
        Document::Identity(Box::new(doc))
    };
    let has = |ids: &[String], rule: &str| ids.iter().any(|id| id == rule);
    let (ids, _) = judge(vec![unread(Dataset::Mfa)]).await;
    assert!(
        !has(&ids, "id.admin_no_mfa") && has(&ids, "id.stale_admin"),
        "{ids:?}"
    );
    let (ids, _) = judge(vec![unread(Dataset::SignIn)]).await;
    assert!(
        has(&ids, "id.admin_no_mfa") && !has(&ids, "id.stale_admin"),
        "{ids:?}"
    );
    let (ids, _) = judge(vec![unread(Dataset::Roles)]).await;
    assert_eq!(ids.iter().filter(|id| id.contains("admin")).count(), 0, "{ids:?}");
    let mut risky = app();
    risky.risks.insert(GrantKind::Delegated, GrantRisk::High);
    let (ids, _) = judge(vec![Document::App(Box::new(risky.clone()))]).await;
    assert_eq!(ids, ["app.risky_scopes"]);
    risky.integration = integration_ref(Platform::M365, &[Dataset::Grants]);
    assert!(judge(vec![Document::App(Box::new(risky))]).await.0.is_empty());
}

#[tokio::test]
async fn an_abandoned_batch_does_not_delay_the_next_one() {
    let engine = RegoRules::with_threads(Pack::builtin(), 1);
    let many: Vec<Document> = (0..2000_u32)
        .map(|number| Document::Identity(Box::new(identity((number % 250) as u8))))
        .collect();
    let abandoned = engine.evaluate(Arc::new(many), NOW_MS);
    let _ = tokio::time::timeout(Duration::from_millis(1), abandoned).await;
    let next = engine
        .evaluate(Arc::new(vec![Document::App(Box::new(app()))]), NOW_MS)
        .await
        .unwrap();
    assert!(next.hits.is_empty());
}

#[tokio::test]
async fn an_empty_batch_starts_nothing() {
    let engine = RegoRules::new(Pack::builtin());
    let evaluation = engine.evaluate(Arc::new(Vec::new()), NOW_MS).await.unwrap();
    assert!(evaluation.hits.is_empty() && evaluation.failures.is_empty());
}
