//! The tools: one file each, and their list.
//!
//! # Adding a tool
//! Write `tools/<name>.rs` with one type that implements [`Tool`]: its declaration, input struct, output struct and
//! `run`. Add it to [`TOOLS`], accept its snapshot, and run the tests with `UPDATE_DOCS=1` once to write
//! `docs/tools.md` anew.

mod check_app_policy;
mod compare_scans;
mod dismiss_finding;
mod generate_report;
mod get_integrations;
mod get_posture_summary;
mod get_risk_score;
mod get_scan;
mod get_score_trend;
mod list_check_results;
mod list_findings;
mod list_rules;
mod list_scans;
mod lookup_identity;
mod remediate_finding;
mod set_app_policy;
mod snooze_finding;
mod start_scan;
mod trigger_sync;

pub(crate) use list_rules::RuleOut;
pub(crate) use start_scan::answer as scan_started;
pub(crate) use trigger_sync::ended as syncs_ended;

use crate::{
    arguments::{self, Arguments, Reduced},
    confirm::{Confirmation, Facts, Stake, quoted},
    cursor::CursorKey,
    error::Failure,
    fence, schema,
    tasks::Errand,
    wire::AsOf,
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use std::{future::Future, pin::Pin};
use watchpost_core::{
    access::{KeyScope, Made, Once, OnceKind, Permission, WorkspaceScope},
    audit::{AuditKey, AuditTarget, CallRecord},
    port::Random,
    posture::Freshness,
    service::Watchpost,
    value::{id::FindingId, time::Timestamp},
};
use watchpost_protocol::{ContentBlock, Notify, ResourceDefinition, ToolResult};

/// What a tool says about its effects. MCP's defaults are pessimistic, so all four are always stated. They are
/// declared beside the permission and derived from nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// It changes nothing.
    pub read_only: bool,
    /// It changes or hides something that is there.
    pub destructive: bool,
    /// Doing it again changes nothing more.
    pub idempotent: bool,
    /// It makes Watchpost talk to systems outside.
    pub open_world: bool,
}

/// The hints of every query.
const QUERY: Hints = Hints {
    read_only: true,
    destructive: false,
    idempotent: true,
    open_world: false,
};

/// What is fixed about a tool.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// For a model that must pick the right tool at the first try.
    pub description: &'static str,
    /// What the caller needs. No default.
    pub permission: Permission,
    /// The four hints.
    pub hints: Hints,
}

impl Declaration {
    /// Whether the tool is a query: any key may call it, and its replies may be kept.
    pub const fn is_query(&self) -> bool {
        matches!(self.permission, Permission::ReadPosture)
    }
    /// Whether the tool needs a write key. Its errors say whether it can be called again, and a person may be asked.
    pub const fn writes(&self) -> bool {
        !self.permission.granted_to_scope(KeyScope::Read)
    }
}

/// What a running tool has at hand.
pub(crate) struct Context<'c> {
    pub(crate) watchpost: &'c Watchpost,
    pub(crate) scope: &'c WorkspaceScope,
    pub(crate) cursors: &'c CursorKey,
    /// The wall clock at the beginning of the call.
    pub(crate) now: Timestamp,
    /// Takes progress to a client that wants to hear of it.
    pub(crate) notify: Option<&'c Notify<'c>>,
    tool: &'static str,
    reduced: String,
    /// What the call's change spends, so that it is made at most once.
    once: Vec<Once>,
}

impl Context<'_> {
    /// The call's record, for the use case that stores it with its change.
    pub(crate) fn record(&self) -> CallRecord {
        let call = CallRecord::new("mcp", self.tool, self.reduced.clone());
        self.once.iter().cloned().fold(call, CallRecord::once)
    }

    /// Whether the caller gave an idempotency key.
    fn has_key(&self) -> bool {
        self.once
            .iter()
            .any(|once| once.kind() == OnceKind::IdempotencyKey)
    }

    /// What is known of a change of a finding. `what` is what a person is asked, up to the question mark.
    pub(crate) async fn finding_stake(&self, id: FindingId, what: &str) -> Result<Stake, Failure> {
        let target = AuditTarget::new("finding", &id);
        let Some(found) = self.watchpost.store().finding(self.scope, id).await? else {
            return Ok(Stake::default());
        };
        let finding = &found.summary;
        Ok(Stake {
            facts: Facts {
                severity: Some(finding.severity),
                policy: None,
            },
            question: format!(
                "{what}? It is {} and says {}. Its id is {id}.",
                finding.severity,
                quoted(&finding.title)
            ),
            target,
        })
    }

    /// What an answer begins with if the call was a repeat.
    pub(crate) fn repeat(&self, made: Made) -> Option<String> {
        let earlier = made.earlier?;
        let by = if self.has_key() {
            "idempotency_key"
        } else {
            "confirmation"
        };
        Some(format!(
            "Nothing was changed now: an earlier call with the same {by} was made at {earlier}, and this is what it came to."
        ))
    }

    /// How old and whole the data is, for the answer of a change. The change is made, so a failure to read this is
    /// no failure of the call.
    pub(crate) async fn as_of(&self) -> AsOf {
        let freshness = self.watchpost.store().freshness(self.scope).await;
        match freshness {
            Ok(freshness) => AsOf::new(&freshness, self.now),
            Err(error) => {
                tracing::warn!(%error, "the age of the data could not be read for an answer");
                AsOf::new(
                    &Freshness {
                        as_of: None,
                        sources: Vec::new(),
                    },
                    self.now,
                )
            }
        }
    }
}

/// A tool's answer: a sentence of our own words and numbers, and the structured part as finished bytes.
pub(crate) struct Answer {
    pub(crate) sentence: String,
    pub(crate) structured: Bytes,
    /// What the audit entry is about.
    pub(crate) target: AuditTarget,
    /// When the text goes stale by time alone.
    pub(crate) good_until: Option<Timestamp>,
    /// A file that it points to.
    pub(crate) link: Option<Link>,
    /// What goes on after it: a task, for a client that takes those.
    pub(crate) goes_on: Option<Errand>,
}

/// A link to a resource, beside the text.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) uri: String,
    pub(crate) name: String,
    pub(crate) media_type: &'static str,
}

impl Answer {
    /// Writes the structured part: once, here.
    pub(crate) fn new(sentence: String, output: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self {
            sentence,
            structured: serde_json::to_vec(output).map_err(Failure::unwritable)?.into(),
            target: AuditTarget::default(),
            good_until: None,
            link: None,
            goes_on: None,
        })
    }
    /// The result: the text, the link if there is one, and the structured part.
    pub(crate) fn result(&self, random: &dyn Random) -> ToolResult {
        let link = self.link.as_ref().map(|link| {
            ContentBlock::Link(ResourceDefinition {
                uri: link.uri.clone(),
                name: link.name.clone(),
                title: None,
                description: None,
                media_type: Some(link.media_type.to_owned()),
            })
        });
        ToolResult {
            content: fence::content(&self.sentence, &self.structured, random).into(),
            more: link.into_iter().collect(),
            structured: Some(self.structured.clone()),
            is_error: false,
        }
    }
    /// Names what the audit entry is about.
    pub(crate) fn about(mut self, target: AuditTarget) -> Self {
        self.target = target;
        self
    }
    /// Says when the text goes stale by time alone.
    pub(crate) fn until(mut self, freshness: &Freshness, now: Timestamp) -> Self {
        self.good_until = freshness.text_good_until(now);
        self
    }
}

/// One tool.
pub(crate) trait Tool: 'static {
    /// What is fixed about it.
    const DECLARATION: Declaration;
    /// Its arguments.
    type Input: Arguments + Send;
    /// Its structured answer, for the schema.
    type Output: schemars::JsonSchema;
    /// What is known of the change before it is made. Nothing, if what it is about isn't there: then the tool says so.
    fn stake(
        context: &Context<'_>,
        input: &Self::Input,
    ) -> impl Future<Output = Result<Stake, Failure>> + Send {
        let _ = (context, input);
        async { Ok(Stake::default()) }
    }
    /// Does it.
    fn run(context: &Context<'_>, input: Self::Input)
    -> impl Future<Output = Result<Answer, Failure>> + Send;
}

/// What a call came to, with the arguments as the audit log keeps them.
pub(crate) struct Ran {
    pub(crate) reduced: String,
    pub(crate) answer: Result<Answer, Failure>,
    /// Whether a repeat of the call would be known as one.
    pub(crate) has_key: bool,
}

type Running<'c> = Pin<Box<dyn Future<Output = Ran> + Send + 'c>>;
type Weighing<'c> = Pin<Box<dyn Future<Output = Result<Stake, Failure>> + Send + 'c>>;

/// What a call needs besides its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'c> {
    pub(crate) watchpost: &'c Watchpost,
    pub(crate) scope: &'c WorkspaceScope,
    pub(crate) cursors: &'c CursorKey,
    pub(crate) audit_key: &'c AuditKey,
    /// How the change was confirmed, for its entry; `None` for a tool that nobody is ever asked about.
    pub(crate) confirmation: Option<Confirmation>,
    /// Takes progress to a client that wants to hear of it.
    pub(crate) notify: Option<&'c Notify<'c>>,
}

/// A tool in the list: its declaration, and what the server does with it.
pub struct ToolEntry {
    /// What is fixed about it.
    pub declaration: Declaration,
    input_schema: fn() -> serde_json::Value,
    output_schema: fn() -> serde_json::Value,
    reduce: fn(Option<&str>, &AuditKey, Option<Confirmation>) -> String,
    stake: for<'c> fn(Caller<'c>, Option<&'c str>) -> Weighing<'c>,
    run: for<'c> fn(Caller<'c>, Option<&'c str>) -> Running<'c>,
}

impl ToolEntry {
    const fn of<T: Tool>() -> Self {
        Self {
            declaration: T::DECLARATION,
            input_schema: schema::of_input::<T::Input>,
            output_schema: schema::of_output::<T::Output>,
            reduce: reduce::<T>,
            stake: |caller, arguments| Box::pin(stake::<T>(caller, arguments)),
            run: |caller, arguments| Box::pin(run::<T>(caller, arguments)),
        }
    }
    /// JSON Schema of the arguments.
    pub fn input_schema(&self) -> serde_json::Value {
        (self.input_schema)()
    }
    /// JSON Schema of the structured answer.
    pub fn output_schema(&self) -> serde_json::Value {
        (self.output_schema)()
    }
    /// The arguments of a call that is refused before it begins, as the audit log keeps them.
    pub(crate) fn reduce(
        &self,
        arguments: Option<&str>,
        key: &AuditKey,
        confirmation: Option<Confirmation>,
    ) -> String {
        (self.reduce)(arguments, key, confirmation)
    }
    /// What is known of a change before it is made.
    pub(crate) fn stake<'c>(&self, caller: Caller<'c>, arguments: Option<&'c str>) -> Weighing<'c> {
        (self.stake)(caller, arguments)
    }
    pub(crate) fn run<'c>(&self, caller: Caller<'c>, arguments: Option<&'c str>) -> Running<'c> {
        (self.run)(caller, arguments)
    }
}

impl std::fmt::Debug for ToolEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.declaration.fmt(f)
    }
}

/// The arguments as the audit log keeps them, and what the call's change spends.
fn record_of(
    tool: &str,
    input: &impl Arguments,
    key: &AuditKey,
    confirmation: Option<Confirmation>,
) -> (String, Vec<Once>) {
    let mut reduced = Reduced::new(key);
    input.reduce(&mut reduced);
    let mut once = Vec::new();
    let arguments = reduced.clone().finish();
    if let Some(token) = input.idempotency_key() {
        let kind = OnceKind::IdempotencyKey;
        once.push(Once::new(key, kind, token.as_bytes(), tool, &arguments));
        reduced.secret("idempotency_key", Some(token));
    }
    if let Some(Confirmation::Asked(nonce)) = confirmation {
        once.push(Once::new(key, OnceKind::Confirmation, &nonce, tool, &arguments));
    }
    if let Some(confirmation) = confirmation {
        reduced.word("confirmation", confirmation.as_str());
    }
    (reduced.finish(), once)
}

fn reduce<T: Tool>(arguments: Option<&str>, key: &AuditKey, confirmation: Option<Confirmation>) -> String {
    let tool = T::DECLARATION.name;
    arguments::parse::<T::Input>(tool, arguments).map_or_else(
        |_| "{}".to_owned(),
        |input| record_of(tool, &input, key, confirmation).0,
    )
}

fn context<'c>(caller: Caller<'c>, tool: &'static str, input: &impl Arguments) -> Context<'c> {
    let (reduced, once) = record_of(tool, input, caller.audit_key, caller.confirmation);
    Context {
        watchpost: caller.watchpost,
        scope: caller.scope,
        cursors: caller.cursors,
        now: caller.watchpost.clock().now(),
        notify: caller.notify,
        tool,
        reduced,
        once,
    }
}

async fn stake<T: Tool>(caller: Caller<'_>, arguments: Option<&str>) -> Result<Stake, Failure> {
    let tool = T::DECLARATION.name;
    let input = arguments::parse::<T::Input>(tool, arguments)?;
    T::stake(&context(caller, tool, &input), &input).await
}

async fn run<T: Tool>(caller: Caller<'_>, arguments: Option<&str>) -> Ran {
    let tool = T::DECLARATION.name;
    let input = match arguments::parse::<T::Input>(tool, arguments) {
        Ok(input) => input,
        Err(failure) => {
            return Ran {
                reduced: "{}".into(),
                answer: Err(failure),
                has_key: false,
            };
        }
    };
    let context = context(caller, tool, &input);
    let answer = T::run(&context, input).await;
    Ran {
        answer,
        has_key: context.has_key(),
        reduced: context.reduced,
    }
}

/// A query's answer for what isn't a call of the tool: a resource. Its audit entry is the resource's.
async fn answer<T: Tool>(caller: Caller<'_>, arguments: &serde_json::Value) -> Result<Answer, Failure> {
    run::<T>(caller, Some(&arguments.to_string())).await.answer
}

/// What `get_posture_summary` answers.
pub(crate) async fn posture(caller: Caller<'_>) -> Result<Answer, Failure> {
    answer::<get_posture_summary::GetPostureSummary>(caller, &json!({})).await
}

/// What `get_integrations` answers.
pub(crate) async fn integrations(caller: Caller<'_>) -> Result<Answer, Failure> {
    answer::<get_integrations::GetIntegrations>(caller, &json!({})).await
}

/// What `lookup_identity` answers.
pub(crate) async fn identity(caller: Caller<'_>, email: &str) -> Result<Answer, Failure> {
    answer::<lookup_identity::LookupIdentity>(caller, &json!({ "email": email })).await
}

/// What `check_app_policy` answers.
pub(crate) async fn app(caller: Caller<'_>, id: &str) -> Result<Answer, Failure> {
    answer::<check_app_policy::CheckAppPolicy>(caller, &json!({ "app": id })).await
}

/// What `get_scan` answers.
pub(crate) async fn scan(caller: Caller<'_>, id: &str) -> Result<Answer, Failure> {
    answer::<get_scan::GetScan>(caller, &json!({ "scan_id": id })).await
}

/// All tools, sorted by name.
pub static TOOLS: [ToolEntry; 19] = [
    ToolEntry::of::<check_app_policy::CheckAppPolicy>(),
    ToolEntry::of::<compare_scans::CompareScans>(),
    ToolEntry::of::<dismiss_finding::DismissFinding>(),
    ToolEntry::of::<generate_report::GenerateReport>(),
    ToolEntry::of::<get_integrations::GetIntegrations>(),
    ToolEntry::of::<get_posture_summary::GetPostureSummary>(),
    ToolEntry::of::<get_risk_score::GetRiskScore>(),
    ToolEntry::of::<get_scan::GetScan>(),
    ToolEntry::of::<get_score_trend::GetScoreTrend>(),
    ToolEntry::of::<list_check_results::ListCheckResults>(),
    ToolEntry::of::<list_findings::ListFindings>(),
    ToolEntry::of::<list_rules::ListRules>(),
    ToolEntry::of::<list_scans::ListScans>(),
    ToolEntry::of::<lookup_identity::LookupIdentity>(),
    ToolEntry::of::<remediate_finding::RemediateFinding>(),
    ToolEntry::of::<set_app_policy::SetAppPolicy>(),
    ToolEntry::of::<snooze_finding::SnoozeFinding>(),
    ToolEntry::of::<start_scan::StartScan>(),
    ToolEntry::of::<trigger_sync::TriggerSync>(),
];
