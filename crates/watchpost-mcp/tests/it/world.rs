//! A company in memory, callers with scopes from the real gate, and calls through the real protocol.

use crate::store::{Data, Fake, Row};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};
use watchpost_core::{
    access::{Access, AccessGate, KeyRow, KeyScope, NewKey, WorkspaceScope},
    app::{App, AppRef},
    audit::{AuditKey, AuditRow},
    check::{Check, CheckDocument, CheckEngine, Profile, Verdict},
    finding::{FindingState, FindingSummary, Subject},
    identity::{Account, Grant, Identity, Role},
    integration::{
        CollectionRow, Failure, Integration,
        fact::{Dataset, LastActive},
    },
    port::{Clock, Random},
    posture::{Coverage, Snapshot},
    report::{Rendered, ReportData, ReportError, ReportFormat, ReportRenderer},
    rule::{
        EngineError, Evaluation, Rule, RuleEngine,
        document::{Document, DocumentType, EntityRef},
    },
    service::{Engines, Watchpost},
    value::{
        id::{AccountId, AnalysisId, AppId, FindingId, IdentityId, IntegrationId, KeyId, WorkspaceId},
        text::ForeignText,
        time::Timestamp,
        word::{
            AccountKind, AccountStatus, AppPolicy, Category, CollectionState, FindingStatus, GrantKind,
            GrantRisk, IntegrationStatus, Mfa, Platform, RoleHold, Severity,
        },
    },
};
use watchpost_mcp::{
    ConfirmMode, CursorKey, McpServer,
    tools::{TOOLS, ToolEntry},
};
use watchpost_protocol::{Header, Incoming, Link, Server, SessionState, TransportFacts, TransportKind};

pub(crate) const NOW: &str = "2026-03-01T07:00:00Z";

pub(crate) struct TestClock(AtomicI64, AtomicU64);

impl TestClock {
    pub(crate) fn forward(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
        self.1.fetch_add(u64::try_from(ms).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
    fn monotonic_ms(&self) -> u64 {
        self.1.load(Ordering::Relaxed)
    }
}

/// Returns different bytes in each draw, and the same sequence in each run.
#[derive(Default)]
struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let n = self
                .0
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = n.to_be_bytes()[1];
        }
    }
}

struct Engine(Vec<Rule>);

struct NoChecks;

#[async_trait]
impl CheckEngine for NoChecks {
    fn checks(&self) -> &[Check] {
        &[]
    }
    async fn evaluate_checks(
        &self,
        _: Arc<CheckDocument>,
        _: Vec<usize>,
        _: Profile,
        _: i64,
    ) -> Result<Vec<Verdict>, EngineError> {
        Ok(Vec::new())
    }
}

impl ReportRenderer for NoChecks {
    fn render(&self, _: &ReportData, _: ReportFormat) -> Result<Rendered, ReportError> {
        Err(ReportError::UnsupportedFormat("no reports in this test"))
    }
}

#[async_trait]
impl RuleEngine for Engine {
    fn rules(&self) -> &[Rule] {
        &self.0
    }
    async fn evaluate(&self, _: Arc<Vec<Document>>, _: i64) -> Result<Evaluation, EngineError> {
        Ok(Evaluation::default())
    }
}

fn rule(id: &str, action: Option<&str>, dataset: Dataset) -> Rule {
    Rule {
        id: id.into(),
        condition: id.into(),
        title: format!("Rule {id}"),
        description: String::new(),
        severity: Severity::Critical,
        category: Category::IdentitySecurity,
        document: DocumentType::Identity,
        platforms: vec![],
        datasets: vec![dataset],
        depends_on_decisions: false,
        informational: false,
        action: action.map(Into::into),
        remediation: vec!["Open the admin console.".into(), "Enroll a second factor.".into()],
        references: vec![],
        frameworks: vec![],
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<Fake>,
    pub(crate) clock: Arc<TestClock>,
    server: Server<McpServer>,
    pub(crate) reader: Arc<WorkspaceScope>,
    pub(crate) writer: Arc<WorkspaceScope>,
    /// A write key of another workspace in the same store.
    pub(crate) stranger: Arc<WorkspaceScope>,
}

static SCHEMAS: LazyLock<HashMap<&'static str, jsonschema::Validator>> = LazyLock::new(|| {
    let schema = |tool: &ToolEntry| jsonschema::validator_for(&tool.output_schema()).unwrap();
    TOOLS
        .iter()
        .map(|tool| (tool.declaration.name, schema(tool)))
        .collect()
});

/// A JSON-RPC answer.
pub(crate) struct Answer(pub(crate) Value);

impl Answer {
    pub(crate) fn is_error(&self) -> bool {
        self.0["result"]["isError"] == true
    }
    pub(crate) fn text(&self) -> &str {
        self.0["result"]["content"][0]["text"].as_str().unwrap()
    }
    pub(crate) fn sentence(&self) -> &str {
        self.text().lines().next().unwrap()
    }
    pub(crate) fn data(&self) -> &Value {
        &self.0["result"]["structuredContent"]
    }
}

async fn key(
    store: &Fake,
    gate: &AccessGate,
    n: u8,
    workspace: WorkspaceId,
    scope: KeyScope,
) -> Arc<WorkspaceScope> {
    let random = TestRandom(AtomicU64::new(u64::from(n) * 1_000));
    let key = NewKey::generate(&random);
    let row = KeyRow {
        id: KeyId::from_bytes([n; 16]),
        workspace,
        hash: key.hash,
        prefix: key.prefix.clone(),
        label: ForeignText::name("test"),
        scope,
        created_at: Timestamp::from_millis(0),
        last_used_at: None,
        expires_at: None,
        revoked_at: None,
        lapsed: false,
    };
    store.keys.lock().unwrap().insert(key.hash, row);
    gate.authenticate(key.reveal()).await.unwrap()
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

impl World {
    /// Creates an empty workspace.
    pub(crate) async fn empty() -> Self {
        Self::asking(ConfirmMode::default()).await
    }

    /// Creates the company, with a server in this mode of confirmation.
    pub(crate) async fn company_that_asks(mode: ConfirmMode) -> Self {
        let world = Self::asking(mode).await;
        world.ours(|data| fill(data, ""));
        world
    }

    async fn asking(mode: ConfirmMode) -> Self {
        let store = Arc::new(Fake::default());
        let clock = Arc::new(TestClock(
            AtomicI64::new(now().as_millis()),
            AtomicU64::new(1_000),
        ));
        let gate = Access::open(Arc::clone(&store) as _, Arc::clone(&clock) as _).gate;
        let ours = WorkspaceId::from_bytes([1; 16]);
        let reader = key(&store, &gate, 1, ours, KeyScope::Read).await;
        let writer = key(&store, &gate, 2, ours, KeyScope::Write).await;
        let stranger = key(
            &store,
            &gate,
            3,
            WorkspaceId::from_bytes([9; 16]),
            KeyScope::Write,
        )
        .await;
        let rules = vec![
            rule("id.admin_no_mfa", Some("require_mfa"), Dataset::Mfa),
            rule("id.stale", None, Dataset::SignIn),
        ];
        let watchpost = Watchpost::new(
            Arc::clone(&store) as _,
            Engines {
                rules: Arc::new(Engine(rules)),
                checks: Arc::new(NoChecks),
                renderer: Arc::new(NoChecks),
            },
            Vec::new(),
            Arc::clone(&clock) as _,
            Arc::new(TestRandom::default()),
        );
        let handler = McpServer::new(
            watchpost,
            CursorKey::new([5; 32]),
            AuditKey::new([6; 32]),
            "0.0.0",
        )
        .unwrap()
        .with_confirmation(mode);
        Self {
            store,
            clock,
            server: Server::new(handler),
            reader,
            writer,
            stranger,
        }
    }

    /// Creates a company with two platforms, one person, three apps and four findings. `hostile` is appended to every name
    /// from outside.
    pub(crate) async fn with(hostile: &str) -> Self {
        let world = Self::empty().await;
        world.ours(|data| fill(data, hostile));
        world
    }

    pub(crate) async fn company() -> Self {
        Self::with("").await
    }

    pub(crate) fn handler(&self) -> &McpServer {
        self.server.handler()
    }

    pub(crate) fn ours<T>(&self, see: impl FnOnce(&mut Data) -> T) -> T {
        self.store.with(self.reader.workspace(), see)
    }

    /// Sends `tools/call` as a modern client.
    pub(crate) async fn call(&self, scope: &Arc<WorkspaceScope>, tool: &str, arguments: Value) -> Answer {
        self.send(scope, &modern_call(tool, &arguments)).await
    }

    /// As [`Self::call`], over HTTP. Returns the status, too.
    pub(crate) async fn call_over_http(
        &self,
        scope: &Arc<WorkspaceScope>,
        tool: &str,
        arguments: Value,
    ) -> (u16, Answer) {
        let bytes = serde_json::to_vec(&modern_call(tool, &arguments)).unwrap().into();
        let facts = TransportFacts {
            version: Header::One(b"2026-07-28"),
            method: Header::One(b"tools/call"),
            name: Header::One(tool.as_bytes()),
            ..TransportFacts::new(TransportKind::Http, None)
        };
        let Incoming::Request(request) = self.server.decode(&bytes, &facts) else {
            panic!("not a request")
        };
        let reply = self.server.handle(scope, &request, Link::default()).await;
        let answer = serde_json::from_slice(&reply.body.unwrap()).unwrap();
        (reply.status, Answer(answer))
    }

    pub(crate) async fn send(&self, scope: &Arc<WorkspaceScope>, message: &Value) -> Answer {
        self.send_over(scope, message, None, Link::default()).await
    }

    /// Sends a message over a connection, within a legacy session if there is one.
    pub(crate) async fn send_over(
        &self,
        scope: &Arc<WorkspaceScope>,
        message: &Value,
        session: Option<&Arc<SessionState>>,
        link: Link<'_>,
    ) -> Answer {
        let bytes = serde_json::to_vec(message).unwrap().into();
        match self
            .server
            .decode(&bytes, &TransportFacts::new(TransportKind::Stdio, session))
        {
            Incoming::Request(request) => {
                let reply = self.server.handle(scope, &request, link).await;
                Answer(serde_json::from_slice(&reply.body.unwrap()).unwrap())
            }
            other => panic!("not a request: {other:?}"),
        }
    }

    /// TOO-05, TOO-06. Makes a call that must succeed. Its answer must match the tool's schema, and the text block must have
    /// the same JSON.
    pub(crate) async fn ok(&self, scope: &Arc<WorkspaceScope>, tool: &str, arguments: Value) -> Answer {
        let answer = self.call(scope, tool, arguments).await;
        assert!(!answer.is_error(), "{tool}: {}", answer.0);
        let schema = &SCHEMAS[tool];
        let problems: Vec<String> = schema
            .iter_errors(answer.data())
            .map(|error| format!("{} {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{tool}: {problems:?}\n{}", answer.data());
        assert!(
            !answer.data().to_string().contains(":null"),
            "{tool}: {}",
            answer.data()
        );
        let lines: Vec<&str> = answer.text().lines().collect();
        assert_eq!(lines.len(), 5, "{tool}: {}", answer.text());
        let in_text: Value = serde_json::from_str(lines[3]).unwrap();
        assert_eq!(&in_text, answer.data(), "{tool}");
        answer
    }

    /// Makes a call that must be a tool error, and returns its text.
    pub(crate) async fn rejected(&self, scope: &Arc<WorkspaceScope>, tool: &str, arguments: Value) -> String {
        let answer = self.call(scope, tool, arguments).await;
        assert!(answer.is_error(), "{tool}: {}", answer.0);
        answer.text().to_owned()
    }

    pub(crate) fn audit(&self) -> Vec<AuditRow> {
        self.ours(|data| data.audit.clone())
    }
}

pub(crate) fn finding_id(n: u8) -> FindingId {
    FindingId::from_bytes([n; 16])
}

pub(crate) fn app_id(n: u8) -> AppId {
    AppId::from_bytes([n; 16])
}

pub(crate) fn integration(n: u8, platform: Platform, name: &str) -> Integration {
    let at = now().plus_hours(-1);
    let collection = |dataset| CollectionRow {
        dataset,
        state: CollectionState::Complete,
        rows: 10,
        detail: None,
        finished_at: at,
        completions: 1,
        doubt: None,
        complete_rows: Some(10),
        complete_at: Some(at),
        confirmed_rows: None,
    };
    Integration {
        id: IntegrationId::from_bytes([n; 16]),
        platform,
        name: ForeignText::name(name),
        tenant_key: None,
        status: IntegrationStatus::Connected,
        config: Default::default(),
        created_at: at,
        last_completed_at: Some(at),
        last_started_at: Some(at),
        failure: None,
        running: None,
        collections: vec![
            collection(Dataset::Users),
            collection(Dataset::Mfa),
            collection(Dataset::SignIn),
        ],
    }
}

pub(crate) fn failing(n: u8, platform: Platform) -> Integration {
    Integration {
        status: IntegrationStatus::Error,
        last_completed_at: None,
        failure: Some(Failure {
            reason: "the platform refused the credentials".into(),
            since: now().plus_days(-1),
            needs_credential: true,
        }),
        collections: vec![],
        ..integration(n, platform, "Broken")
    }
}

pub(crate) fn snapshot(score: u8, days_ago: i64) -> Snapshot {
    Snapshot {
        analysis: AnalysisId::from_bytes([1; 16]),
        at: now().plus_days(-days_ago).plus_hours(-1),
        score,
        live_by_severity: [0; 5],
        identities: 2,
        mfa: Coverage {
            on: 1,
            off: 2,
            unknown: 4,
        },
        admin_mfa: Coverage {
            on: 0,
            off: 1,
            unknown: 0,
        },
        sso: Coverage::default(),
        admins: 1,
        unreviewed_apps: 2,
        stale_accounts: 3,
    }
}

fn account(n: u8, platform: Platform, hostile: &str, mfa: Mfa, last_active: LastActive) -> Account {
    let name = |text: &str| ForeignText::name(&format!("{text}{hostile}"));
    Account {
        id: AccountId::from_bytes([n; 16]),
        integration: IntegrationId::from_bytes([n; 16]),
        platform,
        integration_name: name("Birchworks"),
        login: name("mara.holt"),
        status: AccountStatus::Active,
        kind: AccountKind::Member,
        mfa,
        mfa_methods: vec![name("sms")],
        last_active,
        created_at: Some(now().plus_days(-400)),
        department: Some(name("Engineering")),
        title: Some(name("Engineer")),
        manager_email: None,
        roles: vec![Role {
            name: name("Super Administrator"),
            privileged: true,
            hold: RoleHold::Permanent,
        }],
        grants: vec![Grant {
            app: Some(AppRef {
                id: app_id(31),
                name: name("Plumline"),
                policy: AppPolicy::None,
            }),
            name: None,
            kind: GrantKind::Delegated,
            scopes: vec![name("Mail.Read"), name("Files.ReadWrite.All")],
            risk: GrantRisk::High,
            last_used: LastActive::Unknown,
        }],
        grants_total: 1,
    }
}

pub(crate) fn app(n: u8, name: &str, platform: Platform) -> App {
    App {
        id: app_id(n),
        integration: IntegrationId::from_bytes([11; 16]),
        platform,
        name: ForeignText::name(name),
        client_id: None,
        publisher: Some(ForeignText::name(name)),
        publisher_verified: Some(false),
        first_party: false,
        enabled: true,
        policy: AppPolicy::None,
        policy_set_at: None,
        first_seen_at: now().plus_days(-20),
        accounts: 4,
        tenant_wide: false,
        grants: 6,
        risk: Some(GrantRisk::High),
        scopes: vec![ForeignText::name(name)],
    }
}

pub(crate) fn finding(n: u8, severity: Severity, rule: &str, hostile: &str) -> Row {
    let name = |text: &str| ForeignText::sentence(&format!("{text}{hostile}"));
    Row {
        summary: FindingSummary {
            id: finding_id(n),
            title: name("Mara Holt is an admin and has no second factor"),
            severity,
            category: Category::IdentitySecurity,
            status: FindingStatus::Open,
            scored: true,
            rule_id: rule.into(),
            also: Vec::new(),
            service: None,
            subject: Subject {
                entity: EntityRef::Identity(IdentityId::from_bytes([21; 16])),
                name: name("Mara Holt"),
                email: Some("mara.holt@birchworks.example".into()),
            },
            apps: vec![AppRef {
                id: app_id(31),
                name: name("Plumline"),
                policy: AppPolicy::None,
            }],
            first_seen_at: now().plus_days(-i64::from(n)),
        },
        platforms: vec![Platform::Okta],
        state: FindingState {
            status: FindingStatus::Open,
            snoozed_until: None,
            dismiss_reason: None,
            auto_resolved: false,
        },
    }
}

fn fill(data: &mut Data, hostile: &str) {
    data.generation = 1;
    data.integrations = vec![
        integration(11, Platform::M365, &format!("Birchworks{hostile}")),
        integration(12, Platform::Okta, &format!("Birchworks{hostile}")),
    ];
    data.identities = vec![Identity {
        id: IdentityId::from_bytes([21; 16]),
        email: Some("mara.holt@birchworks.example".into()),
        emails: vec![
            "mara.holt@birchworks.example".into(),
            "mh@birchworks.example".into(),
        ],
        display_name: ForeignText::name(&format!("Mara Holt{hostile}")),
        kind: AccountKind::Member,
        break_glass: false,
        accounts: vec![
            account(11, Platform::M365, hostile, Mfa::Unknown, LastActive::Unknown),
            account(
                12,
                Platform::Okta,
                hostile,
                Mfa::Off,
                LastActive::At(now().plus_days(-3)),
            ),
            account(13, Platform::Slack, hostile, Mfa::On, LastActive::At(now())),
        ],
    }];
    data.apps = vec![
        app(31, &format!("Plumline{hostile}"), Platform::M365),
        app(32, &format!("Twin{hostile}"), Platform::M365),
        app(33, &format!("Twin{hostile}"), Platform::Okta),
    ];
    data.findings = vec![
        finding(1, Severity::High, "id.admin_no_mfa", hostile),
        finding(2, Severity::Critical, "id.admin_no_mfa", hostile),
        finding(3, Severity::Low, "id.stale", hostile),
        finding(4, Severity::Critical, "id.stale", hostile),
    ];
    data.latest = Some(snapshot(9, 0));
    data.previous = Some(snapshot(4, 1));
}

fn modern_call(tool: &str, arguments: &Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": {
            "name": tool, "arguments": arguments,
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {}
            }
        }
    })
}
