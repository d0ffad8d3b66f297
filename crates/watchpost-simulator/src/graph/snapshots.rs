//! Tenant Configuration Management: snapshots of workload settings, which are created by jobs.

use super::{error, list, missing_object, project, resources, select};
use crate::{
    ids::{self, Kind},
    reply::{Body, Context, Reply, Request},
    when::{DAY_MS, iso},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The most jobs that may exist at a time.
const JOBS_MAX: usize = 12;
/// The resources that may be extracted in a month by default.
const MONTHLY_RESOURCES: u64 = 20_000;
/// The time for which the result of a job is kept.
const KEPT_MS: i64 = 7 * DAY_MS;

/// The permissions to write and to read; either is enough to read.
const WRITE: &str = "ConfigurationMonitoring.ReadWrite.All";
const READ: &str = "ConfigurationMonitoring.Read.All";

/// The jobs of the tenant, and the behavior of the service.
#[derive(Debug)]
pub(crate) struct Snapshots {
    jobs: BTreeMap<String, Job>,
    made: u64,
    /// The number of extracted resources, by month (`2026-03`).
    used: BTreeMap<String, u64>,
    /// The number of polls for which a job reports that it is running.
    pub(crate) polls: u32,
    /// The resources that may be extracted in a month.
    pub(crate) budget: u64,
    /// The resource types that are unknown to the service.
    pub(crate) unknown: BTreeSet<String>,
    /// Whether the error about unknown types names them.
    pub(crate) names_unknown: bool,
    /// The number of further orders whose name is reported as taken.
    pub(crate) conflicts: u32,
    /// The names of all jobs, and when they were created. A name must be unique for a day.
    names: BTreeMap<String, i64>,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self {
            jobs: BTreeMap::new(),
            made: 0,
            used: BTreeMap::new(),
            polls: 1,
            budget: MONTHLY_RESOURCES,
            unknown: BTreeSet::new(),
            names_unknown: true,
            conflicts: 0,
            names: BTreeMap::new(),
        }
    }
}

#[derive(Debug)]
struct Job {
    name: String,
    description: String,
    types: Vec<String>,
    created_ms: i64,
    /// The number of polls that still report `running`.
    polls_left: u32,
    completed_ms: Option<i64>,
    /// The resources of the snapshot: the settings at the time of the request.
    resources: Vec<Value>,
    errors: Vec<String>,
}

impl Job {
    fn status(&self) -> &'static str {
        match (
            self.completed_ms,
            self.errors.is_empty(),
            self.resources.is_empty(),
        ) {
            (None, ..) => "running",
            (Some(_), true, _) => "succeeded",
            (Some(_), false, false) => "partiallySuccessful",
            (Some(_), false, true) => "failed",
        }
    }

    fn row(&self, id: &str, request: &Request, context: &Context) -> Value {
        let done = self.completed_ms.is_some() && self.status() != "failed";
        let location = location(request, id);
        // This status was added to the API later. Clients that don't ask for such members get the placeholder instead.
        let knows_all = request
            .prefer
            .split([',', ';'])
            .any(|part| part.trim() == "include-unknown-enum-members");
        let status = match self.status() {
            "partiallySuccessful" if !knows_all => "unknownFutureValue",
            status => status,
        };
        json!({ "id": id, "displayName": self.name, "description": self.description, "tenantId": context.world.tenant_id(),
            "status": status, "resources": self.types,
            "createdBy": { "application": { "id": crate::control::CLIENT_ID, "displayName": null }, "user": null },
            "createdDateTime": iso(self.created_ms), "completedDateTime": self.completed_ms.map(iso),
            "resourceLocation": done.then_some(location),
            "errorDetails": if self.completed_ms.is_some() { self.errors.as_slice() } else { &[] } })
    }
}

/// The fields of a job that are returned without `$select`.
const DEFAULT_FIELDS: [&str; 9] = [
    "id",
    "displayName",
    "description",
    "tenantId",
    "status",
    "resources",
    "createdBy",
    "createdDateTime",
    "completedDateTime",
];

/// Returns the part of the path below `configurationManagement`, if this file handles the path.
pub(crate) fn route(path: &str) -> Option<&str> {
    path.strip_prefix("/v1.0/admin/configurationManagement/")
        .or_else(|| path.strip_prefix("/beta/admin/configurationManagement/"))
}

/// Handles a request below `configurationManagement`.
pub(crate) fn answer(route: &str, request: &Request, context: &Context, all: &mut Snapshots) -> Reply {
    let writes = request.method != "GET";
    let denied = |name: &str| context.denied.contains(name);
    if denied(WRITE) && (writes || denied(READ)) {
        return error(
            context,
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        );
    }
    let parts: Vec<&str> = route.split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        (
            "POST",
            [
                "configurationSnapshots",
                "createSnapshot" | "microsoft.graph.createSnapshot",
            ],
        ) => create(request, context, all),
        ("GET", ["configurationSnapshotJobs"]) => jobs(request, context, all),
        ("GET", ["configurationSnapshotJobs", id]) => job(request, context, all, id),
        ("DELETE", ["configurationSnapshotJobs", id]) => match all.jobs.remove(*id) {
            Some(_) => {
                let mut reply = Reply::json(204, Value::Null);
                reply.body = Body::Empty;
                reply
            }
            None => missing_object(context, id),
        },
        ("GET", [snapshot]) => {
            let id = snapshot
                .strip_prefix("configurationSnapshots('")
                .and_then(|rest| rest.strip_suffix("')"));
            match id {
                Some(id) => snapshot_of(context, all, id),
                None => super::not_found(request, context),
            }
        }
        ("GET" | "POST" | "DELETE", _) => super::not_found(request, context),
        _ => error(
            context,
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        ),
    }
}

fn create(request: &Request, context: &Context, all: &mut Snapshots) -> Reply {
    let bad_request = |code: &str, message: &str| error(context, 400, code, message);
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = text("displayName");
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ') {
        return bad_request(
            "BadRequest",
            "The displayName may hold letters, digits and spaces only.",
        );
    }
    let Some(types) = resource_types(&body) else {
        return bad_request(
            "BadRequest",
            "The resources must be a list of at least one resource type.",
        );
    };
    if let Some(rejection) = rejection(context, all, name, &types) {
        return rejection;
    }
    if all.jobs.len() >= JOBS_MAX {
        let message =
            format!("The tenant has {JOBS_MAX} snapshot jobs, which is the most it may have. Delete one.");
        return bad_request("SnapshotJobLimitReached", &message);
    }
    let (resources, errors) = extract(&types, context);
    let month = iso(context.clock_ms).get(..7).unwrap_or_default().to_owned();
    let used = all.used.entry(month).or_default();
    // The service's error for this case isn't documented.
    if *used + resources.len() as u64 > all.budget {
        return bad_request(
            "QuotaExceeded",
            "The tenant's monthly quota of extracted resources is used up.",
        );
    }
    *used += resources.len() as u64;
    all.made += 1;
    let id = ids::guid(context.world.seed, Kind::Snapshot, all.made);
    let job = Job {
        name: name.to_owned(),
        description: text("description").to_owned(),
        types,
        created_ms: context.clock_ms,
        polls_left: all.polls,
        completed_ms: None,
        resources,
        errors,
    };
    all.names.insert(job.name.clone(), job.created_ms);
    let mut row = job.row(&id, request, context);
    row["status"] = json!("notStarted");
    project(&mut row, None, Some(&DEFAULT_FIELDS));
    all.jobs.insert(id, job);
    Reply::json(201, row)
}

/// Returns the error of an order for unknown types or with a name that is taken.
fn rejection(context: &Context, all: &mut Snapshots, name: &str, types: &[String]) -> Option<Reply> {
    let unsupported: Vec<&str> = types
        .iter()
        .filter(|name| all.unknown.contains(*name) || !resources::is_type(name))
        .map(String::as_str)
        .collect();
    if !unsupported.is_empty() {
        let message = if all.names_unknown {
            format!(
                "The following resource types are not supported: {}.",
                unsupported.join(", ")
            )
        } else {
            "The request is invalid.".to_owned()
        };
        return Some(error(context, 400, "BadRequest", &message));
    }
    let is_taken = all
        .names
        .get(name)
        .is_some_and(|at| context.clock_ms - at < DAY_MS);
    let is_taken = is_taken || all.conflicts > 0;
    all.conflicts = all.conflicts.saturating_sub(1);
    is_taken.then(|| {
        let message = "A snapshot job with this display name already exists.";
        error(context, 409, "Conflict", message)
    })
}

/// Returns the resource types of a request in lower case, or `None` if it names none.
fn resource_types(body: &Value) -> Option<Vec<String>> {
    let types = body.get("resources")?.as_array()?.iter();
    let types: Option<Vec<String>> = types.map(|name| Some(name.as_str()?.to_lowercase())).collect();
    types.filter(|types| !types.is_empty())
}

/// Returns the resources of these types and the errors of types that can't be read.
fn extract(types: &[String], context: &Context) -> (Vec<Value>, Vec<String>) {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for name in types {
        let workload = name.rsplit_once('.').map_or("", |(workload, _)| workload);
        if context.denied.contains(name) || context.denied.contains(workload) {
            errors.push(format!(
                "{name}: the service principal of Tenant Configuration Management isn't allowed to read it."
            ));
        } else {
            found.extend(resources::of_type(&context.world, name));
        }
    }
    (found, errors)
}

/// Returns the address of a job's result, with the host and version of the request.
fn location(request: &Request, id: &str) -> String {
    let base = request
        .url
        .find("/configurationManagement/")
        .and_then(|at| request.url.get(..at))
        .unwrap_or_default();
    format!("{base}/configurationManagement/configurationSnapshots('{id}')")
}

fn jobs(request: &Request, context: &Context, all: &Snapshots) -> Reply {
    let about = super::List {
        context: "admin/configurationManagement/configurationSnapshotJobs",
        total: all.jobs.len() as u64,
        page: (10, 100),
        gap: false,
        default_fields: Some(&DEFAULT_FIELDS),
    };
    list(request, context, &about, |at| {
        let (id, job) = all.jobs.iter().nth(at as usize)?;
        Some(job.row(id, request, context))
    })
}

/// Returns a job. Each request advances the job.
fn job(request: &Request, context: &Context, all: &mut Snapshots, id: &str) -> Reply {
    let Some(job) = all.jobs.get_mut(id) else {
        return missing_object(context, id);
    };
    if job.polls_left == 0 {
        job.completed_ms.get_or_insert(context.clock_ms);
    } else if job.polls_left != u32::MAX {
        job.polls_left -= 1;
    }
    let mut row = job.row(id, request, context);
    project(&mut row, select(request).as_deref(), Some(&DEFAULT_FIELDS));
    Reply::json(200, row)
}

fn snapshot_of(context: &Context, all: &Snapshots, id: &str) -> Reply {
    let kept = all.jobs.get(id).filter(|job| {
        job.status() != "failed" && job.completed_ms.is_some_and(|at| context.clock_ms - at < KEPT_MS)
    });
    match kept {
        Some(job) => Reply::json(
            200,
            json!({ "id": id, "displayName": job.name, "description": job.description, "parameters": [],
                "resources": job.resources }),
        ),
        None => missing_object(context, id),
    }
}
