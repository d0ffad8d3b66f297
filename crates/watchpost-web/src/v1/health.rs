//! The health of the server and of its data, and the OpenAPI document.

use crate::{
    answer::{Answer, JSON, Reply},
    context::Context,
    failure::Failure,
    fields::{Id, NoFields, Word},
    operation::{Declaration, Endpoint, Form, Method, Serving},
    web::Web,
    wire::{AsOf, NotReady, Time},
};
use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    value::{
        id::IntegrationId,
        word::{IntegrationStatus, Platform},
    },
};

pub(crate) struct GetHealth;

/// The age and the completeness of the data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DataHealth")]
pub(crate) struct Output {
    /// `degraded` if there are warnings.
    status: &'static str,
    version: String,
    sources: Vec<SourceOut>,
    #[serde(flatten)]
    not_ready: NotReady,
    #[serde(flatten)]
    as_of: AsOf,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SourceHealth")]
struct SourceOut {
    integration_id: Id<IntegrationId>,
    platform: Word<Platform>,
    status: Word<IntegrationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync_at: Option<Time>,
    /// Datasets that were read completely.
    readable: u32,
    /// Other datasets.
    unreadable: u32,
}

impl Endpoint for GetHealth {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/health",
        name: "get_health",
        group: "health",
        summary: "Returns the age and the completeness of the data, by source",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = NoFields;
    type Output = Output;

    async fn run(context: &Context<'_>, _: NoFields) -> Result<Answer, Failure> {
        let freshness = context.open(context.watchpost.freshness(context.scope).await)?;
        let as_of = AsOf::new(&freshness, context.now);
        let not_ready = freshness.not_ready();
        let is_degraded = as_of.has_warnings() || not_ready.is_some();
        Answer::json(&Output {
            status: if is_degraded { DEGRADED } else { OK },
            version: context.version.to_owned(),
            sources: freshness
                .sources
                .iter()
                .map(|source| SourceOut {
                    integration_id: Id(source.id),
                    platform: Word(source.platform),
                    status: Word(source.status),
                    last_sync_at: source.last_completed_at.map(Time),
                    readable: source.readable,
                    unreadable: source.unreadable,
                })
                .collect(),
            not_ready: NotReady::from(not_ready),
            as_of,
        })
    }
}

const OK: &str = "ok";
const DEGRADED: &str = "degraded";

/// The health of the server, in the compatible form.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ServerHealth")]
pub(crate) struct ServerHealth {
    /// `ok` or `degraded`.
    status: &'static str,
    services: Services,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Services {
    /// `ok` or `unreachable`.
    database: &'static str,
    /// The time of the check, in milliseconds.
    #[serde(rename = "latencyMs")]
    latency_ms: u64,
}

pub(crate) const SERVER_HEALTH: Declaration = Declaration {
    method: Method::Get,
    path: "/api/health",
    name: "get_server_health",
    group: "health",
    summary: "Returns whether the server and its database work; 503 if not",
    permission: None,
    form: Form::Compatible,
};

/// Serves the health of the server, without a credential.
pub(crate) fn server_health(web: &Web) -> Serving<'_> {
    Box::pin(async {
        let clock = web.watchpost.clock();
        let begun = clock.monotonic_ms();
        let is_well = web.health.check().await.is_ok();
        let health = ServerHealth {
            status: if is_well { OK } else { DEGRADED },
            services: Services {
                database: if is_well { OK } else { "unreachable" },
                latency_ms: clock.monotonic_ms().saturating_sub(begun),
            },
        };
        let status = if is_well {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        Reply::new(status, JSON, serde_json::to_vec(&health).unwrap_or_default())
    })
}

pub(crate) const OPENAPI: Declaration = Declaration {
    method: Method::Get,
    path: "/openapi.json",
    name: "get_openapi",
    group: "health",
    summary: "Returns this document, which contains no data of a workspace",
    permission: None,
    form: Form::Own,
};

/// The OpenAPI document.
pub(crate) struct Document;

impl JsonSchema for Document {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Document".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// Serves the OpenAPI document, without a credential.
pub(crate) fn openapi(web: &Web) -> Serving<'_> {
    Box::pin(async { Reply::new(StatusCode::OK, JSON, web.document.clone()) })
}
