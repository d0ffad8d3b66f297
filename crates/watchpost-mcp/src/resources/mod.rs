//! Resources, which are read by their addresses. A resource that corresponds to a tool returns the JSON of the tool's
//! structured answer, made by the same code. Text from outside appears only in JSON strings and, in reports, escaped by the
//! renderer. No address contains any, except for an email address that the caller sent.
//!
//! # Adding a resource
//! Add a variant to [`Address`], its arm to [`text`], and an entry to the list or the templates.

mod address;
mod finding;
mod report;
mod rule;

pub(crate) use address::Address;

use crate::{
    error::Failure,
    tool::{Answer, Caller},
    tools,
};
use serde::Serialize;
use watchpost_core::{
    access::{Permission, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget},
    error::{Error, Source, StoreError},
    service::{Completable, Unrecorded, Watchpost},
};
use watchpost_protocol::{CacheHint, CacheScope, ResourceDefinition, ResourcePage, ResourceRead};

const JSON: &str = "application/json";
/// The cache hint of resources, which change whenever an analysis or a scan ends.
const NOT_CACHED: CacheHint = CacheHint {
    ttl_ms: 0,
    scope: CacheScope::Private,
};
/// The cache hint of the templates, which never change within a version.
const CACHED_FOR_AN_HOUR: CacheHint = CacheHint {
    ttl_ms: 3_600_000,
    scope: CacheScope::Private,
};

/// The failure of a read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// There is no resource at this address.
    NotFound,
    /// The caller may not read posture.
    Denied,
    /// An internal error occurred.
    Failed(Source),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Failure::from(error).into()
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::User(error) => match error.outcome {
                AuditOutcome::NotFound | AuditOutcome::Invalid | AuditOutcome::Conflict => Self::NotFound,
                AuditOutcome::Denied => Self::Denied,
                _ => Self::Failed(error.message.into()),
            },
            Failure::Internal { source, .. } => Self::Failed(source),
        }
    }
}

/// Serializes an output struct.
fn to_json(output: &impl Serialize) -> Result<String, ReadError> {
    serde_json::to_string(output).map_err(|error| ReadError::Failed(Box::new(error)))
}

/// Returns the structured part of a tool's answer, and the target for the audit entry.
fn structured(answer: Answer) -> Result<(String, AuditTarget), ReadError> {
    let text =
        String::from_utf8(answer.structured.into()).map_err(|error| ReadError::Failed(Box::new(error)))?;
    Ok((text, answer.target))
}

/// A resource, or a family of resources with a common template. Each variable has the kind of values that complete it.
struct ResourceTemplate {
    template: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    variables: &'static [(&'static str, Completable)],
}

impl ResourceTemplate {
    fn definition(&self) -> ResourceDefinition {
        ResourceDefinition {
            uri: self.template.into(),
            name: self.name.into(),
            title: Some(self.title.into()),
            description: Some(self.description.into()),
            media_type: Some(JSON.into()),
        }
    }
}

/// The resources that the list always has.
const FIXED: &[ResourceTemplate] = &[
    ResourceTemplate {
        template: "watchpost://posture",
        name: "posture",
        title: "Security posture",
        description: "Score, grade, coverage and top risk areas, as get_posture_summary returns them.",
        variables: &[],
    },
    ResourceTemplate {
        template: "watchpost://integrations",
        name: "integrations",
        title: "Integrations",
        description: "The connected platforms and the age of their data, as get_integrations returns them.",
        variables: &[],
    },
];

const FAMILIES: &[ResourceTemplate] = &[
    ResourceTemplate {
        template: "watchpost://findings/{id}",
        name: "finding",
        title: "A finding",
        description: "One finding with its evidence, its history and the remediation steps of its rule. Ids come from list_findings.",
        variables: &[("id", Completable::Finding)],
    },
    ResourceTemplate {
        template: "watchpost://identities/{email}",
        name: "identity",
        title: "A person",
        description: "One person or machine account by any of its email addresses, as lookup_identity returns it.",
        variables: &[("email", Completable::Address)],
    },
    ResourceTemplate {
        template: "watchpost://apps/{id}",
        name: "app",
        title: "An app",
        description: "One third-party app with its policy and use, as check_app_policy returns it. Ids come from check_app_policy and list_findings.",
        variables: &[("id", Completable::App)],
    },
    ResourceTemplate {
        template: "watchpost://rules/{id}",
        name: "rule",
        title: "A detection rule",
        description: "One active rule: what it looks for and why, how to fix its findings, where it is blind. Ids come from list_rules.",
        variables: &[("id", Completable::Rule)],
    },
    ResourceTemplate {
        template: "watchpost://scans/{id}",
        name: "scan",
        title: "A scan",
        description: "One scan with its score, counts and new failures, as get_scan returns it. Ids come from list_scans.",
        variables: &[("id", Completable::Scan)],
    },
    ResourceTemplate {
        template: "watchpost://reports/{scan_id}-{kind}.{ending}{?framework*,service*,compare_with}",
        name: "report",
        title: "Report on a scan",
        description: "A report on a completed scan: kind executive, framework or evidence; ending html, md, json, csv or ocsf.jsonl. With compare_with, the id of another scan: on the differences between the two.",
        variables: &[
            ("scan_id", Completable::Scan),
            ("kind", Completable::ReportKind),
            ("ending", Completable::ReportExtension),
            ("framework", Completable::Framework),
            ("service", Completable::Service),
            ("compare_with", Completable::Scan),
        ],
    },
];

/// Returns the templates of the addresses that are not in the list.
pub(crate) fn templates() -> ResourcePage {
    let resources = FAMILIES
        .iter()
        .map(|family| ResourceDefinition {
            // The media type of a report depends on its ending.
            media_type: (family.name != "report").then(|| JSON.to_owned()),
            ..family.definition()
        })
        .collect();
    ResourcePage {
        resources,
        next_cursor: None,
        cache: CACHED_FOR_AN_HOUR,
    }
}

/// Returns the name and the variables of the family with this template.
pub(crate) fn variables(template: &str) -> Option<(&'static str, &'static [(&'static str, Completable)])> {
    let family = FAMILIES.iter().find(|family| family.template == template)?;
    Some((family.name, family.variables))
}

/// Lists the fixed resources and the executive reports on the latest completed scans.
///
/// # Errors
/// The store fails.
pub(crate) async fn list(
    watchpost: &Watchpost,
    scope: &WorkspaceScope,
) -> Unrecorded<Result<ResourcePage, Error>> {
    let page = |resources| ResourcePage {
        resources,
        next_cursor: None,
        cache: NOT_CACHED,
    };
    if !scope.may(Permission::ReadPosture) {
        return Unrecorded::new(Ok(page(Vec::new())));
    }
    let reports = report::latest(watchpost, scope).await;
    let fixed = FIXED.iter().map(ResourceTemplate::definition);
    reports.map_ok(|reports| page(fixed.chain(reports).collect()))
}

/// The contents of a resource.
#[derive(Debug)]
pub(crate) struct ResourceText {
    pub(crate) text: String,
    pub(crate) media_type: &'static str,
    /// The target for the audit entry.
    pub(crate) target: AuditTarget,
}

/// Reads a resource.
pub(crate) async fn text(caller: Caller<'_>, uri: &str) -> Result<ResourceText, ReadError> {
    if !caller.scope.may(Permission::ReadPosture) {
        return Err(ReadError::Denied);
    }
    let mut media_type = JSON;
    let (text, target) = match Address::parse(uri).ok_or(ReadError::NotFound)? {
        Address::Posture => structured(tools::posture(caller).await?)?,
        Address::Integrations => structured(tools::integrations(caller).await?)?,
        Address::Finding(id) => finding::read(caller, id).await?,
        Address::Identity(email) => structured(tools::identity(caller, &email).await?)?,
        Address::App(id) => {
            let id = id.to_string();
            let answer = tools::app(caller, &id).await?;
            // The tool also answers for unknown apps, and also looks the text up as a name.
            if answer.target.id != id {
                return Err(ReadError::NotFound);
            }
            structured(answer)?
        }
        Address::Rule(id) => rule::read(caller, &id).await?,
        Address::Scan(id) => structured(tools::scan(caller, &id.to_string()).await?)?,
        Address::Report(request, format) => {
            media_type = format.media_type();
            report::read(caller, *request, format).await?
        }
    };
    Ok(ResourceText {
        text,
        media_type,
        target,
    })
}

/// Reads a resource for `resources/read`, and returns the target for the audit entry.
pub(crate) async fn read(caller: Caller<'_>, uri: &str) -> Result<(ResourceRead, AuditTarget), ReadError> {
    let found = text(caller, uri).await?;
    Ok((
        ResourceRead::text(uri, found.media_type, found.text, NOT_CACHED),
        found.target,
    ))
}
