//! Cases for facts, identities, apps and documents.

use super::{
    Harness, World, account, account_fact, app_fact, grant_fact, live, mfa_fact, observation, role_fact,
    setting_fact, with_statuses,
};
use watchpost_core::{
    app::{AppLookup, AppMatch, AppPolicyOutcome, AppQuery, SetAppPolicy},
    finding::{FindingAction, FindingCommand, Marks},
    identity::{TagBreakGlass, TagOutcome},
    integration::fact::{Dataset, Fact},
    job::JobKind,
    posture::Coverage,
    rule::document::EntityRef,
    value::word::{
        AppPolicy, CollectionState, DismissReason, FindingStatus, GrantKind, GrantRisk, Mfa, Platform,
        RunState, Severity, TokenNetwork,
    },
};

/// Accounts with a common address belong to one identity, in whichever order they arrive.
pub async fn accounts_with_a_common_address_share_an_identity(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let m365 = world.integration(&tenant, Platform::M365).await;
    let count = || async { world.store.count_identities(&tenant.operator).await.unwrap() };
    let users = vec![
        account_fact("o1", "mara.holt@birch.example"),
        account_fact("o2", "jon.reed@birch.example"),
    ];
    world
        .sync(&tenant, okta, vec![(Dataset::Users, users.clone())])
        .await;
    assert_eq!(count().await, 2);
    let mut other = account("m1", Some("mh@birch.example"));
    other.aliases = vec!["Mara.Holt@birch.example".into()];
    let pages = vec![
        (
            Dataset::Users,
            vec![
                Fact::Account(Box::new(other)),
                account_fact("m2", "new@birch.example"),
            ],
        ),
        (Dataset::Mfa, vec![mfa_fact("m1", Mfa::Off)]),
        (Dataset::Roles, vec![role_fact("r1", "m1")]),
    ];
    world.sync(&tenant, m365, pages).await;
    assert_eq!(count().await, 3);
    let found = |email: &'static str| {
        let (store, scope) = (world.store.clone(), tenant.writer.clone());
        async move { store.identity_by_email(&scope, email).await.unwrap() }
    };
    let mara = found(" MARA.holt@birch.example").await.unwrap();
    assert_eq!(mara.accounts.len(), 2);
    assert_eq!(mara.email.as_deref(), Some("mara.holt@birch.example"));
    assert_eq!(mara.emails, ["mara.holt@birch.example", "mh@birch.example"]);
    assert_eq!(mara.accounts[0].platform, Platform::M365);
    assert_eq!(
        (mara.accounts[0].mfa, mara.accounts[1].mfa),
        (Mfa::Off, Mfa::Unknown)
    );
    assert!(mara.accounts[0].roles[0].privileged);
    assert_eq!(found("mh@birch.example").await.unwrap().id, mara.id);
    assert_eq!(
        world
            .store
            .identity(&tenant.writer, mara.id)
            .await
            .unwrap()
            .unwrap(),
        mara
    );
    assert!(found("nobody@birch.example").await.is_none());
    assert!(found("no address").await.is_none());
    // Syncing the same facts again changes nothing that an answer shows.
    let before = world.store.identity(&tenant.writer, mara.id).await.unwrap();
    world.sync(&tenant, okta, vec![(Dataset::Users, users)]).await;
    assert_eq!(
        world.store.identity(&tenant.writer, mara.id).await.unwrap(),
        before
    );
    assert_eq!(count().await, 3);
    let numbers = world
        .store
        .measure_coverage(&tenant.operator, world.now())
        .await
        .unwrap();
    assert_eq!(
        numbers.mfa,
        Coverage {
            on: 0,
            off: 1,
            unknown: 2
        }
    );
    assert_eq!((numbers.admins, numbers.admin_mfa.off), (1, 1));
    assert_eq!(
        numbers.sso,
        Coverage {
            on: 2,
            off: 1,
            unknown: 0
        }
    );
}

/// Rows that a sync didn't see are retired only if their dataset was read completely.
pub async fn only_a_complete_dataset_retires_rows(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let many: Vec<Fact> = (0..1_200)
        .map(|i| account_fact(&format!("o{i}"), &format!("user{i}@birch.example")))
        .collect();
    let roles = vec![role_fact("r1", "o0"), role_fact("r2", "o1")];
    for page in many.chunks(1_000) {
        let syncing = world.begin(&tenant, okta).await;
        syncing.facts(Dataset::Users, page.to_vec()).await;
        syncing
            .finish_dataset(Dataset::Users, CollectionState::Partial)
            .await;
        syncing.finish(RunState::Completed, None).await;
    }
    world.sync(&tenant, okta, vec![(Dataset::Roles, roles)]).await;
    let count = || async { world.store.count_identities(&tenant.operator).await.unwrap() };
    assert_eq!(count().await, 1_200);
    for state in [
        CollectionState::Partial,
        CollectionState::Denied,
        CollectionState::Unlicensed,
        CollectionState::Failed,
    ] {
        let syncing = world.begin(&tenant, okta).await;
        syncing
            .facts(Dataset::Users, vec![account_fact("o0", "user0@birch.example")])
            .await;
        syncing.finish_dataset(Dataset::Users, state).await;
        syncing.finish(RunState::Completed, None).await;
        assert_eq!(count().await, 1_200, "{state}");
        assert_eq!(
            world
                .row(&tenant, okta)
                .await
                .collection(Dataset::Users)
                .unwrap()
                .completions,
            0
        );
    }
    let keep = vec![
        account_fact("o0", "user0@birch.example"),
        account_fact("o7", "user7@birch.example"),
    ];
    world.sync(&tenant, okta, vec![(Dataset::Users, keep)]).await;
    assert_eq!(count().await, 2);
    let row = world.row(&tenant, okta).await;
    assert_eq!(row.collection(Dataset::Users).unwrap().completions, 1);
    let held = |email: &'static str| {
        let (store, scope) = (world.store.clone(), tenant.writer.clone());
        async move { store.identity_by_email(&scope, email).await.unwrap().unwrap() }
    };
    assert_eq!(
        held("user0@birch.example").await.accounts[0].roles.len(),
        1,
        "users don't retire roles"
    );
    let gone = held("user1@birch.example").await;
    assert!(gone.accounts.is_empty());
    // An account that is back belongs to the same identity as before.
    let back = vec![
        account_fact("o0", "user0@birch.example"),
        account_fact("o1", "user1@birch.example"),
    ];
    world
        .sync(
            &tenant,
            okta,
            vec![(Dataset::Users, back), (Dataset::Roles, vec![])],
        )
        .await;
    let again = held("user1@birch.example").await;
    assert_eq!((again.id, again.accounts.len()), (gone.id, 1));
    assert!(again.accounts[0].roles.is_empty());
    assert_eq!(count().await, 2);
}

/// Merging two identities keeps the older id, the tag and the decisions.
pub async fn merging_keeps_the_older_identity_and_decisions(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let m365 = world.integration(&tenant, Platform::M365).await;
    let first = vec![(Dataset::Users, vec![account_fact("o1", "mara@birch.example")])];
    world.sync(&tenant, okta, first).await;
    let second = vec![(Dataset::Users, vec![account_fact("m1", "m.holt@birch.example")])];
    world.sync(&tenant, m365, second).await;
    let id = |email: &'static str| {
        let (store, scope) = (world.store.clone(), tenant.writer.clone());
        async move { store.identity_by_email(&scope, email).await.unwrap().unwrap().id }
    };
    let (older, younger) = (id("mara@birch.example").await, id("m.holt@birch.example").await);
    assert!(older < younger);
    let (analysis, permit, job) = world.analysis(&tenant).await;
    let hit = |rule, id| observation(rule, EntityRef::Identity(id), Severity::High, Marks::new());
    let hits = vec![hit("both", older), hit("both", younger), hit("younger", younger)];
    world
        .store
        .observe_findings(&permit, analysis, hits, world.now())
        .await
        .unwrap();
    world.end_job(&job).await;
    let all = world.all_findings(&tenant.writer, live()).await;
    let theirs = all
        .iter()
        .find(|row| row.rule_id == "both" && row.subject.entity == EntityRef::Identity(younger))
        .unwrap();
    let ours = all
        .iter()
        .find(|row| row.rule_id == "both" && row.subject.entity == EntityRef::Identity(older))
        .unwrap();
    let command = FindingCommand {
        finding: theirs.id,
        action: FindingAction::Dismiss {
            reason: DismissReason::Mitigated,
        },
        note: None,
        now: world.now(),
    };
    world
        .store
        .change_finding(world.write(&tenant.operator, command))
        .await
        .unwrap()
        .into_value();
    let tag = TagBreakGlass {
        id: younger,
        tagged: true,
        analysis: world.job_id(),
        now: world.now(),
    };
    let tagged = world
        .store
        .tag_break_glass(world.write(&tenant.operator, tag))
        .await
        .unwrap()
        .into_value();
    assert_eq!(tagged, TagOutcome::Changed);
    assert_eq!(world.store.count_identities(&tenant.operator).await.unwrap(), 2);
    let mut joined = account("m1", Some("m.holt@birch.example"));
    joined.aliases = vec!["mara@birch.example".into()];
    world
        .sync(
            &tenant,
            m365,
            vec![(Dataset::Users, vec![Fact::Account(Box::new(joined))])],
        )
        .await;
    assert_eq!(world.store.count_identities(&tenant.operator).await.unwrap(), 1);
    assert_eq!(id("m.holt@birch.example").await, older);
    let one = world
        .store
        .identity(&tenant.writer, older)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(one.accounts.len(), 2);
    assert!(one.break_glass);
    assert!(
        world
            .store
            .identity(&tenant.writer, younger)
            .await
            .unwrap()
            .is_none()
    );
    let open = world.all_findings(&tenant.writer, live()).await;
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].rule_id.as_str(), open[0].subject.entity),
        ("younger", EntityRef::Identity(older))
    );
    let dismissed = world
        .all_findings(&tenant.writer, with_statuses(&[FindingStatus::Dismissed]))
        .await;
    let first_id = if (ours.first_seen_at, ours.id) < (theirs.first_seen_at, theirs.id) {
        ours.id
    } else {
        theirs.id
    };
    assert_eq!(dismissed.iter().map(|row| row.id).collect::<Vec<_>>(), [first_id]);
    // The moved finding matches observations of its new subject.
    let (analysis, permit, _) = world.analysis(&tenant).await;
    let counts = world
        .store
        .observe_findings(&permit, analysis, vec![hit("younger", older)], world.now())
        .await
        .unwrap();
    assert_eq!((counts.new, counts.kept), (0, 1));
    super::counters::check_counts(&world, &tenant).await;
}

/// An app that is retired and comes back has its former id and policy.
pub async fn apps_keep_their_ids_and_policies(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let pages = |apps: Vec<Fact>| {
        vec![
            (
                Dataset::Users,
                vec![
                    account_fact("o1", "mara@birch.example"),
                    account_fact("o2", "jon@birch.example"),
                ],
            ),
            (Dataset::Apps, apps),
            (
                Dataset::Grants,
                vec![
                    grant_fact("g1", "a1", Some("o1"), GrantRisk::High),
                    grant_fact("g2", "a1", Some("o2"), GrantRisk::Low),
                    grant_fact("g3", "a2", None, GrantRisk::Medium),
                ],
            ),
        ]
    };
    let both = vec![
        app_fact("a1", "Pixel Mail"),
        app_fact("a2", "Pixel Notes"),
        app_fact("a3", "100%_sure"),
    ];
    world.sync(&tenant, okta, pages(both.clone())).await;
    let find = |name: &'static str| {
        let (store, scope) = (world.store.clone(), tenant.writer.clone());
        async move {
            store
                .find_app(&scope, &AppLookup::Name(name.into()))
                .await
                .unwrap()
        }
    };
    let one = |found| match found {
        AppMatch::One(app) => *app,
        other => panic!("expected exactly one app, got {other:?}"),
    };
    let mail = one(find("  pixel MAIL ").await);
    assert_eq!(
        (mail.accounts, mail.tenant_wide, mail.grants, mail.risk),
        (2, false, 2, Some(GrantRisk::High))
    );
    let notes = one(find("pixel notes").await);
    assert_eq!(
        (notes.accounts, notes.tenant_wide, notes.grants),
        (0, true, 1),
        "a grant without an account is for the whole tenant"
    );
    assert_eq!(mail.scopes.len(), 1);
    assert_eq!(one(find("client-a1").await).id, mail.id);
    assert!(matches!(find("pixel").await, AppMatch::Several(apps, 2) if apps[0].id == mail.id));
    assert_eq!(
        one(find("%_").await).name.untrusted(),
        "100%_sure",
        "no wildcards"
    );
    assert_eq!(find("nothing").await, AppMatch::None);
    let set = |policy| SetAppPolicy {
        app: mail.id,
        policy,
        analysis: world.job_id(),
        now: world.now(),
    };
    let put = async |policy| {
        let write = world.write(&tenant.writer, set(policy));
        world.store.set_app_policy(write).await.unwrap().into_value()
    };
    let before = AppPolicy::None;
    assert_eq!(
        put(AppPolicy::Blocked).await,
        AppPolicyOutcome::Changed { before }
    );
    assert_eq!(put(AppPolicy::Blocked).await, AppPolicyOutcome::Unchanged);
    let queued = world.store.unfinished_jobs(&tenant.operator).await.unwrap();
    assert_eq!(
        queued.iter().filter(|job| job.kind == JobKind::Analyse).count(),
        1
    );
    world
        .sync(&tenant, okta, pages(vec![app_fact("a2", "Pixel Notes")]))
        .await;
    assert!(
        world
            .store
            .app_documents(&tenant.operator, None, 10)
            .await
            .unwrap()
            .iter()
            .all(|doc| doc.id != mail.id)
    );
    world.sync(&tenant, okta, pages(both)).await;
    let back = one(find("pixel mail").await);
    assert_eq!((back.id, back.policy), (mail.id, AppPolicy::Blocked));
    let list = |query: AppQuery| {
        let (store, scope) = (world.store.clone(), tenant.writer.clone());
        async move { store.list_apps(&scope, &query).await.unwrap() }
    };
    let first = list(AppQuery {
        limit: 2,
        ..AppQuery::default()
    })
    .await;
    assert_eq!(
        first.iter().map(|app| app.name.untrusted()).collect::<Vec<_>>(),
        ["100%_sure", "Pixel Mail"]
    );
    let after = Some((first[1].name.untrusted().to_owned(), first[1].id));
    let rest = list(AppQuery {
        limit: 2,
        after,
        ..AppQuery::default()
    })
    .await;
    assert_eq!(rest.len(), 1);
    let blocked = list(AppQuery {
        limit: 9,
        policy: Some(AppPolicy::Blocked),
        ..AppQuery::default()
    })
    .await;
    assert_eq!(blocked.len(), 1);
    assert!(
        list(AppQuery {
            limit: 9,
            platform: Some(Platform::M365),
            ..AppQuery::default()
        })
        .await
        .is_empty()
    );
    assert_eq!(
        list(AppQuery {
            limit: 9,
            text: Some("PIXEL".into()),
            ..AppQuery::default()
        })
        .await
        .len(),
        2
    );
}

/// Facts that vendors can leave unknown come back as they were stored: true, false or unknown.
pub async fn unknown_facts_stay_unknown(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let end = world.now();
    let values = [None, Some(false), Some(true)];
    let networks = [None, Some(TokenNetwork::Anywhere), Some(TokenNetwork::Restricted)];
    let mut pages = vec![
        (Dataset::Users, Vec::new()),
        (Dataset::Mfa, Vec::new()),
        (Dataset::Tokens, Vec::new()),
    ];
    for (i, (value, network)) in values.into_iter().zip(networks).enumerate() {
        let id = format!("o{i}");
        let mut person = account(&id, Some(&format!("user{i}@birch.example")));
        (person.synced, person.password_expiry_exempt) = (value, value);
        pages[0].1.push(Fact::Account(Box::new(person)));
        let Fact::Mfa(mut mfa) = mfa_fact(&id, Mfa::On) else {
            unreachable!("the builder makes this fact")
        };
        (mfa.phishing_resistant, mfa.weak_only) = (value, value);
        pages[1].1.push(Fact::Mfa(mfa));
        let Fact::Grant(mut token) = grant_fact(&format!("t{i}"), "a1", Some(&id), GrantRisk::High) else {
            unreachable!("the builder makes this fact")
        };
        (token.kind, token.network, token.expires_at) = (GrantKind::Token, network, Some(end));
        pages[2].1.push(Fact::Grant(token));
    }
    world.sync(&tenant, okta, pages).await;
    let documents = world.store.identity_documents(&tenant.operator, None, 9).await;
    let mut accounts: Vec<_> = documents
        .unwrap()
        .into_iter()
        .flat_map(|document| document.accounts)
        .collect();
    accounts.sort_by(|a, b| a.email.cmp(&b.email));
    assert_eq!(accounts.len(), 3);
    for ((account, value), network) in accounts.iter().zip(values).zip(networks) {
        assert_eq!(
            [
                account.synced,
                account.password_expiry_exempt,
                account.phishing_resistant,
                account.weak_mfa_only
            ],
            [value; 4]
        );
        let token = &account.grants[0];
        assert_eq!(
            (token.network, token.expires_at_ms),
            (network, Some(end.as_millis()))
        );
    }
}

/// The pages of documents contain exactly what was read.
pub async fn documents_contain_what_was_read(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let users: Vec<Fact> = (0..30)
        .map(|i| account_fact(&format!("o{i}"), &format!("user{i}@birch.example")))
        .collect();
    let pages = vec![
        (Dataset::Users, users),
        (Dataset::Mfa, vec![mfa_fact("o1", Mfa::On)]),
        (Dataset::Roles, vec![role_fact("r1", "o1")]),
        (Dataset::Apps, vec![app_fact("a1", "Pixel Mail")]),
        (
            Dataset::Grants,
            vec![
                grant_fact("g1", "a1", Some("o1"), GrantRisk::Low),
                grant_fact("g2", "a1", None, GrantRisk::High),
            ],
        ),
        (
            Dataset::Organization,
            vec![setting_fact("org", r#"{"name":"Birch"}"#)],
        ),
    ];
    world.sync(&tenant, okta, pages).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = world
            .store
            .identity_documents(&tenant.operator, after, 7)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page);
    }
    assert_eq!(seen.len(), 30);
    assert!(seen.windows(2).all(|pair| pair[0].id < pair[1].id));
    let one = seen
        .iter()
        .find(|doc| doc.email.as_deref() == Some("user1@birch.example"))
        .unwrap();
    assert_eq!(*one.company_domains, ["birch.example"]);
    let account = &one.accounts[0];
    assert_eq!(
        (account.mfa, account.roles.len(), account.grants.len()),
        (Mfa::On, 1, 1)
    );
    assert!(account.roles[0].super_admin);
    assert!(!account.integration.unreadable.contains(&Dataset::Users));
    assert!(
        account.integration.unreadable.contains(&Dataset::SignIn),
        "never collected"
    );
    assert_eq!(one.integrations.len(), 1);
    let apps = world
        .store
        .app_documents(&tenant.operator, None, 10)
        .await
        .unwrap();
    assert_eq!(apps.len(), 1);
    assert_eq!(apps[0].principals[0].identity_id, one.id);
    assert_eq!(apps[0].tenant_wide_risk, Some(GrantRisk::High));
    assert_eq!(apps[0].accounts, 1);
    let consents: Vec<_> = apps[0].consents.iter().collect();
    assert_eq!(
        consents,
        [(&GrantRisk::Low, &1)],
        "by accounts, not for everybody"
    );
    let tag = TagBreakGlass {
        id: one.id,
        tagged: true,
        analysis: world.job_id(),
        now: world.now(),
    };
    world
        .store
        .tag_break_glass(world.write(&tenant.operator, tag))
        .await
        .unwrap()
        .into_value();
    let docs = world.store.integration_documents(&tenant.operator).await.unwrap();
    assert_eq!(
        (
            docs[0].super_admins,
            docs[0].break_glass_accounts,
            docs[0].active_members
        ),
        (1, 1, 30)
    );
    assert_eq!(docs[0].settings["org"]["name"], "Birch");
    assert!(docs[0].lost.is_empty());
    let syncing = world.begin(&tenant, okta).await;
    syncing
        .finish_dataset(Dataset::Mfa, CollectionState::Denied)
        .await;
    let domains = setting_fact("domains", r#"{"value":[{"id":"Elm.example","isVerified":true}]}"#);
    syncing.facts(Dataset::Domains, vec![domains]).await;
    syncing
        .finish_dataset(Dataset::Domains, CollectionState::Complete)
        .await;
    syncing.finish(RunState::Completed, None).await;
    let docs = world.store.integration_documents(&tenant.operator).await.unwrap();
    assert_eq!(docs[0].lost, [Dataset::Mfa]);
    let page = world
        .store
        .identity_documents(&tenant.operator, None, 1)
        .await
        .unwrap();
    assert_eq!(*page[0].company_domains, ["elm.example"]);
}
