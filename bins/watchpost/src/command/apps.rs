//! `watchpost apps`.

use crate::{
    failure::{code, fail, from_core},
    output::{Output, foreign},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use watchpost_core::{
    app::{App, AppLookup, AppPolicyOutcome, AppQuery},
    service::Unrecorded,
    value::word::{AppPolicy, Platform},
};

/// Number of apps in one read.
const PAGE: usize = 100;

#[derive(Debug, Subcommand)]
pub(crate) enum Apps {
    /// Lists apps by name
    List {
        /// Only apps with this policy: none, sanctioned, unauthorized, blocked
        #[arg(long)]
        policy: Option<AppPolicy>,
        /// Only apps on this platform
        #[arg(long)]
        platform: Option<Platform>,
        /// Only apps whose name contains this text
        #[arg(long)]
        text: Option<String>,
    },
    /// Shows or sets an app's policy
    Policy {
        /// The app's name, client id or id
        app: String,
        /// The new policy: none, sanctioned, unauthorized or blocked [default: show the current one]
        policy: Option<AppPolicy>,
    },
}

/// Interprets the argument `app`: an id of Watchpost, or a name.
pub(crate) fn lookup(text: &str) -> AppLookup {
    text.parse()
        .map_or_else(|_| AppLookup::Name(text.to_owned()), AppLookup::Id)
}

pub(crate) async fn run(command: Apps, session: &Session, output: Output) -> Result<()> {
    match command {
        Apps::List {
            policy,
            platform,
            text,
        } => {
            let query = AppQuery {
                policy,
                platform,
                text,
                after: None,
                limit: PAGE,
            };
            list(query, session, output).await
        }
        Apps::Policy { app, policy: None } => show_policy(&app, session, output).await,
        Apps::Policy {
            app,
            policy: Some(policy),
        } => set_policy(&app, policy, session, output).await,
    }
}

async fn list(mut query: AppQuery, session: &Session, output: Output) -> Result<()> {
    let read = Unrecorded::gather(async |reader| {
        let mut rows: Vec<App> = Vec::new();
        loop {
            let page = reader.open(session.watchpost.apps(&session.scope, &query).await)?;
            let full = page.len() == PAGE;
            rows.extend(page);
            let Some(last) = rows.last().filter(|_| full) else {
                return Ok(rows);
            };
            query.after = Some((last.name.untrusted().to_owned(), last.id));
        }
    });
    let rows = session.read("app.read", "apps list", read.await).await?;
    let json = json!({"apps": rows.iter().map(app_json).collect::<Vec<_>>()});
    Ok(output.table(
        &json,
        &["app", "platform", "policy", "risk", "accounts", "id"],
        rows.iter().map(app_cells).collect(),
        text::apps::NO_APPS,
    )?)
}

async fn show_policy(app: &str, session: &Session, output: Output) -> Result<()> {
    let read = session
        .watchpost
        .app(&session.scope, &lookup(app))
        .await
        .and_then(|answer| answer.found.one("app"));
    let app = session.read("app.read", "apps policy", read).await?;
    Ok(output.answer(&app_json(&app), app.policy.as_str())?)
}

async fn set_policy(app: &str, policy: AppPolicy, session: &Session, output: Output) -> Result<()> {
    let call = session.call("apps policy", &json!({"policy": policy}));
    let (app, outcome, _) = session
        .watchpost
        .set_app_policy(&session.scope, &lookup(app), policy, call)
        .await
        .map_err(from_core)?;
    let changed = match outcome {
        AppPolicyOutcome::Changed { .. } => true,
        AppPolicyOutcome::Unchanged => false,
        AppPolicyOutcome::NotFound => {
            return Err(fail(code::NOT_FOUND, text::apps::NOT_FOUND));
        }
    };
    let text = if changed {
        text::apps::policy_set(policy)
    } else {
        text::apps::policy_unchanged(policy)
    };
    Ok(output.answer(
        &json!({"id": app.id, "changed": changed, "policy": policy}),
        &text,
    )?)
}

fn app_cells(app: &App) -> Vec<String> {
    vec![
        foreign(&app.name),
        app.platform.title().to_owned(),
        app.policy.to_string(),
        app.risk.map_or("-", |risk| risk.as_str()).to_owned(),
        text::apps::accounts(app.accounts, app.tenant_wide),
        app.id.to_string(),
    ]
}

fn app_json(app: &App) -> Value {
    json!({
        "id": app.id,
        "name": app.name,
        "platform": app.platform,
        "policy": app.policy,
        "policy_set_at": app.policy_set_at,
        "publisher": app.publisher,
        "publisher_verified": app.publisher_verified,
        "first_party": app.first_party,
        "enabled": app.enabled,
        "risk": app.risk,
        "accounts": app.accounts,
        "tenant_wide": app.tenant_wide,
        "grants": app.grants,
        "scopes": app.scopes,
        "first_seen_at": app.first_seen_at,
    })
}
