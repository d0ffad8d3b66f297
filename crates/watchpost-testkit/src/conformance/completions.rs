//! Cases for completion: prefixes, order, limits, isolation of workspaces.

use super::{Harness, Tenant, World, account_fact, app_fact, life::somebody, live, observation};
use watchpost_core::{
    check::ScanType,
    finding::{FindingAction, FindingCommand, Marks},
    integration::{ChangeIntegration, IntegrationAction, fact::Dataset},
    port::completion::{COMPLETIONS_MAX, Completions, IdPrefix, StoredCompletion},
    scan::StartScan,
    value::{
        id::ScanId,
        word::{Platform, Severity},
    },
};

async fn complete(world: &World, tenant: &Tenant, what: StoredCompletion) -> Completions {
    world.store.complete(&tenant.operator, &what).await.unwrap()
}

async fn names(world: &World, tenant: &Tenant, prefix: &str) -> Vec<String> {
    let what = StoredCompletion::AppNames(prefix.into());
    complete(world, tenant, what).await.values
}

async fn addresses(world: &World, tenant: &Tenant, prefix: &str) -> Vec<String> {
    let what = StoredCompletion::Addresses(prefix.into());
    complete(world, tenant, what).await.values
}

fn ids(prefix: &str) -> IdPrefix {
    IdPrefix::parse(prefix).unwrap()
}

/// Two workspaces have different people, apps and scans; each completes only its own.
pub async fn completions_come_only_from_the_workspace_of_the_caller(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (one, two) = (world.tenant("one").await, world.tenant("two").await);
    let first = world.integration(&one, Platform::Okta).await;
    let second = world.integration(&two, Platform::Okta).await;
    let people = vec![
        account_fact("o1", "mara@birch.example"),
        account_fact("o2", "marek@birch.example"),
        account_fact("o3", "50%@birch.example"),
    ];
    let apps = vec![
        app_fact("a1", "Pixel"),
        app_fact("a2", "pixel"),
        app_fact("a3", "Pixelate_Pro"),
        app_fact("a4", "Ledger"),
    ];
    world
        .sync(&one, first, vec![(Dataset::Users, people), (Dataset::Apps, apps)])
        .await;
    let theirs = vec![
        (Dataset::Users, vec![account_fact("o1", "marius@elm.example")]),
        (Dataset::Apps, vec![app_fact("a1", "Pixie")]),
    ];
    world.sync(&two, second, theirs).await;

    assert_eq!(
        addresses(&world, &one, "mar").await,
        ["mara@birch.example", "marek@birch.example"]
    );
    assert_eq!(
        addresses(&world, &one, "mara@birch.example").await,
        ["mara@birch.example"]
    );
    assert_eq!(addresses(&world, &two, "mar").await, ["marius@elm.example"]);
    for nobody in [
        "mari",
        "marb",
        "%",
        "mar_",
        "50%_",
        "\u{10ffff}",
        "ara@birch.example",
    ] {
        assert!(addresses(&world, &one, nobody).await.is_empty(), "{nobody}");
    }
    assert_eq!(addresses(&world, &one, "50%").await, ["50%@birch.example"]);

    // Two apps with the same name give one value.
    assert_eq!(names(&world, &one, "pix").await.len(), 2);
    assert_eq!(names(&world, &one, "pixela").await, ["Pixelate_Pro"]);
    assert_eq!(names(&world, &one, "").await.len(), 3);
    assert_eq!(names(&world, &two, "").await, ["Pixie"]);

    let all = complete(&world, &one, StoredCompletion::Apps(IdPrefix::ALL)).await;
    assert_eq!((all.values.len(), all.total, all.more), (4, Some(4), false));
    for id in &all.values {
        let found = complete(&world, &one, StoredCompletion::Apps(ids(id))).await;
        assert_eq!(&found.values, std::slice::from_ref(id));
        let found = complete(&world, &two, StoredCompletion::Apps(ids(id))).await;
        assert_eq!(found, Completions::of(Vec::new()));
    }

    let start = StartScan {
        id: ScanId::generate(world.clock.as_ref(), world.random.as_ref()),
        integration: first,
        scan_type: ScanType::Compliance,
        fresh: true,
        again: false,
        job: world.job_id(),
        now: world.now(),
    };
    let scan = start.id.to_string();
    world
        .store
        .start_scan(world.write(&one.operator, start))
        .await
        .unwrap()
        .into_value();
    for prefix in [IdPrefix::ALL, ids(&scan[..9]), ids(&scan)] {
        let found = complete(&world, &one, StoredCompletion::Scans(prefix)).await;
        assert_eq!(found.values, std::slice::from_ref(&scan));
        let found = complete(&world, &two, StoredCompletion::Scans(prefix)).await;
        assert!(found.values.is_empty());
    }

    // Retired apps and the apps of a removed integration are not offered.
    let rest = vec![(Dataset::Apps, vec![app_fact("a4", "Ledger")])];
    world.sync(&one, first, rest).await;
    assert_eq!(names(&world, &one, "").await, ["Ledger"]);
    let removal = ChangeIntegration {
        id: second,
        action: IntegrationAction::Remove,
        job: world.job_id(),
        now: world.now(),
    };
    world
        .store
        .change_integration(world.write(&two.operator, removal))
        .await
        .unwrap()
        .into_value();
    assert!(names(&world, &two, "").await.is_empty());
    let left = complete(&world, &two, StoredCompletion::Apps(IdPrefix::ALL)).await;
    assert!(left.values.is_empty());
}

/// Live findings come before others, and the worst come first.
pub async fn completions_list_live_findings_first_and_the_worst_first(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (one, two) = (world.tenant("one").await, world.tenant("two").await);
    let integration = world.integration(&one, Platform::Okta).await;
    world.sync(&one, integration, vec![]).await;
    let (analysis, permit, _) = world.analysis(&one).await;
    let hits = [Severity::Low, Severity::Critical, Severity::High]
        .into_iter()
        .zip(1..)
        .map(|(severity, n)| observation("a.rule", somebody(n), severity, Marks::new()))
        .collect();
    world
        .store
        .observe_findings(&permit, analysis, hits, world.now())
        .await
        .unwrap();
    let rows = world.all_findings(&one.operator, live()).await;
    let order =
        |rows: &[usize], all: &[String]| -> Vec<String> { rows.iter().map(|at| all[*at].clone()).collect() };
    let listed: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let all = StoredCompletion::Findings(IdPrefix::ALL);
    assert_eq!(
        complete(&world, &one, all.clone()).await,
        Completions::of(listed.clone())
    );
    let command = FindingCommand {
        finding: rows[0].id,
        action: FindingAction::Snooze { days: 7 },
        note: None,
        now: world.now(),
    };
    let write = world.write(&one.operator, command);
    world.store.change_finding(write).await.unwrap().into_value();
    let found = complete(&world, &one, all.clone()).await;
    assert_eq!(found.values, order(&[1, 2, 0], &listed));
    for id in &listed {
        let what = StoredCompletion::Findings(ids(id));
        assert_eq!(
            &complete(&world, &one, what.clone()).await.values,
            std::slice::from_ref(id)
        );
        assert!(complete(&world, &two, what).await.values.is_empty());
    }
    assert!(complete(&world, &two, all).await.values.is_empty());
}

/// More values than the limit are cut off, and the result says so.
pub async fn completions_are_limited_to_a_hundred(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let integration = world.integration(&tenant, Platform::Okta).await;
    let people = (0..120)
        .map(|n| account_fact(&format!("o{n}"), &format!("mara{n:03}@birch.example")))
        .collect();
    world
        .sync(&tenant, integration, vec![(Dataset::Users, people)])
        .await;
    let found = complete(&world, &tenant, StoredCompletion::Addresses("mara".into())).await;
    assert_eq!(found.values.len(), COMPLETIONS_MAX);
    assert_eq!((found.total, found.more), (Some(120), true));
    assert_eq!(found.values[99], "mara099@birch.example");
    let found = complete(&world, &tenant, StoredCompletion::Addresses("mara11".into())).await;
    assert_eq!(
        (found.values.len(), found.total, found.more),
        (10, Some(10), false)
    );
}
