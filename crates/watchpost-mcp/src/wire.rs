//! Output structs that several answers share. Foreign text becomes nothing but a JSON string here.

use crate::{
    schema::inline_schema,
    text::{self, next_step},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use watchpost_core::{
    app::AppRef,
    finding::FindingSummary,
    posture::Freshness,
    rule::document::EntityRef,
    value::{
        id::{AppId, FindingId},
        text::ForeignText,
        time::Timestamp,
        word::{Category, EntityType, FindingStatus, Severity},
    },
};

/// A value that is a string on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Text<T>(pub T);

impl<T: Serialize> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

inline_schema!(Text<T>, [T], "Text", { "type": "string" });

/// A number with one decimal, stored as tenths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tenths(pub u64);

impl Serialize for Tenths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tenths = u32::try_from(self.0).unwrap_or(u32::MAX);
        serializer.serialize_f64(f64::from(tenths) / 10.0)
    }
}

inline_schema!(Tenths, "Tenths", { "type": "number" });

/// The age and the completeness of the data, as answers report it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AsOf {
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Text<Timestamp>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl AsOf {
    pub(crate) fn new(freshness: &Freshness, now: Timestamp) -> Self {
        Self {
            as_of: freshness.as_of.map(Text),
            warnings: freshness
                .warnings(now)
                .into_iter()
                .map(next_step::warning)
                .collect(),
        }
    }
    /// The sentence of an answer with the age of its data appended.
    pub(crate) fn dated(&self, sentence: &str) -> String {
        let at = self.as_of.as_ref().map(|at| at.0);
        format!("{sentence}{}", text::as_of(at, len(&self.warnings)))
    }
}

/// Numbers of findings by severity.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(crate) struct SeverityCounts {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    info: u64,
}

impl SeverityCounts {
    pub(crate) const fn new([critical, high, medium, low, info]: [u64; 5]) -> Self {
        Self {
            critical,
            high,
            medium,
            low,
            info,
        }
    }
    pub(crate) fn total(&self) -> u64 {
        self.critical + self.high + self.medium + self.low + self.info
    }
}

/// The schema of rows that `list_findings` describes in full. The other tools only refer to it, since a model reads the
/// whole list of tools in each session.
pub(crate) fn finding_rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "object" },
        "description": "Rows as in list_findings.",
    })
}

/// The schema of a list of grants, whose fields need no more than their names.
pub(crate) fn grant_rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "object" },
        "description": "app, kind, risk, scopes, last_used.",
    })
}

/// The schema of a list of apps, whose fields need no more than their names.
fn app_rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "object" },
        "description": "id, name.",
    })
}

/// The schema of an object whose fields another schema beside it describes.
pub(crate) fn plain_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object" })
}

/// A finding in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FindingOut<'a> {
    id: Text<FindingId>,
    title: Text<&'a ForeignText>,
    severity: Text<Severity>,
    category: Text<Category>,
    status: Text<FindingStatus>,
    rule_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    also: &'a [String],
    subject: SubjectOut<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "app_rows")]
    apps: Vec<AppNamed<'a>>,
    first_seen_at: Text<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SubjectOut<'a> {
    r#type: Text<EntityType>,
    id: Text<Entity>,
    name: Text<&'a ForeignText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

/// An entity's id, regardless of the entity's type.
#[derive(Debug, Clone, Copy)]
struct Entity(EntityRef);

impl Serialize for Entity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            EntityRef::Identity(id) => id.serialize(serializer),
            EntityRef::App(id) => id.serialize(serializer),
            EntityRef::Integration(id) => id.serialize(serializer),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AppNamed<'a> {
    id: Text<AppId>,
    name: Text<&'a ForeignText>,
}

impl<'a> From<&'a AppRef> for AppNamed<'a> {
    fn from(app: &'a AppRef) -> Self {
        Self {
            id: Text(app.id),
            name: Text(&app.name),
        }
    }
}

impl<'a> From<&'a FindingSummary> for FindingOut<'a> {
    fn from(finding: &'a FindingSummary) -> Self {
        Self {
            id: Text(finding.id),
            title: Text(&finding.title),
            severity: Text(finding.severity),
            category: Text(finding.category),
            status: Text(finding.status),
            rule_id: &finding.rule_id,
            also: &finding.also,
            subject: SubjectOut {
                r#type: Text(finding.subject.entity.entity_type()),
                id: Text(Entity(finding.subject.entity)),
                name: Text(&finding.subject.name),
                email: finding.subject.email.as_deref(),
            },
            apps: finding.apps.iter().map(AppNamed::from).collect(),
            first_seen_at: Text(finding.first_seen_at),
        }
    }
}

/// The length of a list as a JSON number.
pub(crate) fn len<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}
