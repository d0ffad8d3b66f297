//! The checks of this version.

use crate::{
    answer::Answer,
    context::{Context, wrong_position},
    failure::{Code, Failure},
    fields::{After, Limit, Line, Many, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    text,
    wire::len,
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::{AuditOutcome, AuditTarget},
    check::{Check, Framework, ScanType, Service},
    value::word::{Category, Platform, Severity},
};

pub(crate) struct ListChecks;

fields! {
    pub(crate) struct CheckFields {
        /// Default: both.
        scan_type: Option<Word<ScanType>>,
        /// Default: all.
        severity: Many<Severity>,
        /// Default: all.
        service: Many<Service>,
        /// Default: all.
        framework: Many<Framework>,
        /// Default: all.
        platform: Many<Platform>,
        /// Rows of a page.
        limit: Limit<50>,
        /// next_after of the previous page, with the same filters.
        after: Option<After>,
    }
}

/// A page of checks, by id.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckList")]
pub(crate) struct Output<'a> {
    checks: Vec<CheckOut<'a>>,
    total: u64,
    returned: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<String>,
}

/// A check in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Check")]
pub(crate) struct CheckOut<'a> {
    id: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_type: Option<Word<ScanType>>,
    severity: Word<Severity>,
    category: Word<Category>,
    service: Word<Service>,
    /// Empty: any.
    platforms: Vec<Word<Platform>>,
    /// Whether a person must verify the requirement.
    manual: bool,
    framework_ids: Vec<&'a str>,
}

impl<'a> From<&'a Check> for CheckOut<'a> {
    fn from(check: &'a Check) -> Self {
        Self {
            id: &check.id,
            title: &check.title,
            scan_type: check.scan.map(Word),
            severity: Word(check.severity),
            category: Word(check.category),
            service: Word(check.service),
            platforms: check.platforms.iter().copied().map(Word).collect(),
            manual: check.manual,
            framework_ids: check.frameworks.iter().map(|id| id.as_str()).collect(),
        }
    }
}

impl CheckFields {
    /// Whether a check passes the filters.
    pub(crate) fn fits(&self, check: &Check) -> bool {
        let in_framework = |framework: &Framework| check.ids_in(*framework).next().is_some();
        self.scan_type.is_none_or(|word| check.scan == Some(word.0))
            && self.severity.admits(check.severity)
            && self.service.admits(check.service)
            && (self.framework.as_slice().is_empty() || self.framework.as_slice().iter().any(in_framework))
            && (check.platforms.is_empty()
                || check
                    .platforms
                    .iter()
                    .any(|platform| self.platform.admits(*platform)))
    }
}

impl Endpoint for ListChecks {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/checks",
        name: "list_checks",
        group: "checks",
        summary: "Lists the checks of this version, with their ids in frameworks",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = CheckFields;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, input: CheckFields) -> Result<Answer, Failure> {
        let checks = context.watchpost.checks().checks();
        let all: Vec<&Check> = checks.iter().filter(|check| input.fits(check)).collect();
        let from = match context.begin(input.after.as_ref())? {
            Some(id) => all
                .iter()
                .position(|check| check.id == id)
                .map(|at| at.saturating_add(1))
                .ok_or_else(wrong_position)?,
            None => 0,
        };
        let page: Vec<&Check> = all.iter().copied().skip(from).take(input.limit.rows()).collect();
        let is_last = from.saturating_add(page.len()) >= all.len();
        Answer::json(&Output {
            total: len(&all),
            returned: len(&page),
            next_after: page
                .last()
                .filter(|_| !is_last)
                .map(|check| context.position(&check.id)),
            checks: page.into_iter().map(CheckOut::from).collect(),
        })
    }
}

pub(crate) struct GetCheck;

fields! {
    pub(crate) struct CheckById {
        /// The check's id, such as entra.mfa_all.
        id: Line<64>,
    }
}

/// A check with everything about it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckDetail")]
pub(crate) struct Detail<'a> {
    #[serde(flatten)]
    check: CheckOut<'a>,
    description: &'a str,
    /// The settings that it requires.
    inputs: &'a [String],
    /// The settings that it uses if they can be read.
    optional_inputs: &'a [String],
    remediation: &'a [String],
    references: &'a [String],
}

impl Endpoint for GetCheck {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/checks/{id}",
        name: "get_check",
        group: "checks",
        summary: "Returns one check with its requirement and the steps to meet it",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = CheckById;
    type Output = Detail<'static>;

    async fn run(context: &Context<'_>, input: CheckById) -> Result<Answer, Failure> {
        let Some(check) = context.watchpost.check(input.id.as_str()) else {
            return Err(Failure::new(
                Code::NotFound,
                AuditOutcome::NotFound,
                text::CHECK_NOT_FOUND.to_owned(),
            ));
        };
        let output = Detail {
            check: CheckOut::from(check),
            description: &check.description,
            inputs: &check.inputs,
            optional_inputs: &check.optional_inputs,
            remediation: &check.remediation,
            references: &check.references,
        };
        Ok(Answer::json(&output)?.about(AuditTarget::new("check", &check.id)))
    }
}
