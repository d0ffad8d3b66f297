//! Resources: what can be read by its address. What a tool answers, a resource says with the same numbers, made by the
//! same code: the JSON of its structured answer. What strangers wrote only ever stands inside JSON strings (and, in
//! reports, behind the renderer's escapes); no address holds any of it but an email address that the caller gave.
//!
//! # Adding a resource
//! Give [`Address`] a variant, [`read`] its arm, and the list or the templates their line.

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
/// What resources say changes when analyses and scans end: clients ask again.
const FRESH: CacheHint = CacheHint {
    ttl_ms: 0,
    scope: CacheScope::Private,
};
/// The templates never change within a version.
const STEADY: CacheHint = CacheHint {
    ttl_ms: 3_600_000,
    scope: CacheScope::Private,
};

/// Why a resource wasn't read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// There is none of this address.
    NotFound,
    /// The caller may not read posture.
    Denied,
    /// Watchpost failed.
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

/// An output struct as JSON text.
fn to_json(output: &impl Serialize) -> Result<String, ReadError> {
    serde_json::to_string(output).map_err(|error| ReadError::Failed(Box::new(error)))
}

/// The structured part of a tool's answer, and what it is about.
fn structured(answer: Answer) -> Result<(String, AuditTarget), ReadError> {
    let text =
        String::from_utf8(answer.structured.into()).map_err(|error| ReadError::Failed(Box::new(error)))?;
    Ok((text, answer.target))
}

/// A resource, or a family of them.
fn line(uri: &str, name: &str, title: &str, description: &str) -> ResourceDefinition {
    ResourceDefinition {
        uri: uri.into(),
        name: name.into(),
        title: Some(title.into()),
        description: Some(description.into()),
        media_type: Some(JSON.into()),
    }
}

/// A family of resources, and what completes the variables of its template.
struct Family {
    template: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    variables: &'static [(&'static str, Completable)],
}

const FAMILIES: &[Family] = &[
    Family {
        template: "watchpost://findings/{id}",
        name: "finding",
        title: "A finding",
        description: "One finding with its evidence, its life so far and what its rule says to do. Ids come from list_findings.",
        variables: &[("id", Completable::Finding)],
    },
    Family {
        template: "watchpost://identities/{email}",
        name: "identity",
        title: "A person",
        description: "One person or machine account by any of its email addresses, as lookup_identity answers.",
        variables: &[("email", Completable::Address)],
    },
    Family {
        template: "watchpost://apps/{id}",
        name: "app",
        title: "An app",
        description: "One third-party app with its policy and use, as check_app_policy answers. Ids come from check_app_policy and list_findings.",
        variables: &[("id", Completable::App)],
    },
    Family {
        template: "watchpost://rules/{id}",
        name: "rule",
        title: "A detection rule",
        description: "One active rule: what it looks for and why, what to do about it, where it is blind. Ids come from list_rules.",
        variables: &[("id", Completable::Rule)],
    },
    Family {
        template: "watchpost://scans/{id}",
        name: "scan",
        title: "A scan",
        description: "One scan with its score, counts and new failures, as get_scan answers. Ids come from list_scans.",
        variables: &[("id", Completable::Scan)],
    },
    Family {
        template: "watchpost://reports/{scan_id}-{kind}.{ending}{?framework*,service*,compare_with}",
        name: "report",
        title: "Report on a scan",
        description: "A report on a completed scan: kind executive, framework or evidence; ending html, md, json, csv or ocsf.jsonl. With compare_with, another scan's id: on the difference of the two.",
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

/// What addresses there are besides those of the list.
pub(crate) fn templates() -> ResourcePage {
    let resources = FAMILIES
        .iter()
        .map(|family| ResourceDefinition {
            // Reports have the media type of their ending.
            media_type: (family.name != "report").then(|| JSON.to_owned()),
            ..line(family.template, family.name, family.title, family.description)
        })
        .collect();
    ResourcePage {
        resources,
        next_cursor: None,
        cache: STEADY,
    }
}

/// The family that has this template, and what completes its variables.
pub(crate) fn variables(template: &str) -> Option<(&'static str, &'static [(&'static str, Completable)])> {
    let family = FAMILIES.iter().find(|family| family.template == template)?;
    Some((family.name, family.variables))
}

/// What every caller can read, and executive reports of the latest completed scans.
///
/// # Errors
/// The store's.
pub(crate) async fn list(
    watchpost: &Watchpost,
    scope: &WorkspaceScope,
) -> Unrecorded<Result<ResourcePage, Error>> {
    let page = |resources| ResourcePage {
        resources,
        next_cursor: None,
        cache: FRESH,
    };
    if !scope.may(Permission::ReadPosture) {
        return Unrecorded::new(Ok(page(Vec::new())));
    }
    let fixed = [
        line(
            "watchpost://posture",
            "posture",
            "Security posture",
            "Score, grade, coverage and top risk areas, as get_posture_summary answers.",
        ),
        line(
            "watchpost://integrations",
            "integrations",
            "Integrations",
            "The connected platforms and how fresh their data is, as get_integrations answers.",
        ),
    ];
    let reports = report::latest(watchpost, scope).await;
    reports.map_ok(|reports| page(fixed.into_iter().chain(reports).collect()))
}

/// What a resource says.
#[derive(Debug)]
pub(crate) struct ResourceText {
    pub(crate) text: String,
    pub(crate) media_type: &'static str,
    /// What was looked at.
    pub(crate) target: AuditTarget,
}

/// Reads a resource.
///
/// # Errors
/// [`ReadError`].
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
            // The tool answers for apps that nobody has seen, and looks for the text as a name, too.
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

/// Reads a resource for its answer, and says what was looked at.
///
/// # Errors
/// [`ReadError`].
pub(crate) async fn read(caller: Caller<'_>, uri: &str) -> Result<(ResourceRead, AuditTarget), ReadError> {
    let found = text(caller, uri).await?;
    Ok((
        ResourceRead::text(uri, found.media_type, found.text, FRESH),
        found.target,
    ))
}
