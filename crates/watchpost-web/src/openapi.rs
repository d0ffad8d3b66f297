//! The OpenAPI document, generated from the declarations of the operations.

use crate::{
    failure::{PROBLEM, Problem},
    fields::{Field, Place},
    operation::{Form, Method, Operation},
    operations::OPERATIONS,
    schema::without_null,
    text::document as texts,
};
use schemars::{
    JsonSchema, Schema as JsonSchemaValue, SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::{
    ComponentsBuilder, Content, HttpMethod, InfoBuilder, OpenApiBuilder, Paths, RefOr, Required, Response,
    Schema,
    path::{
        Operation as Documented, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, ParameterStyle,
    },
    request_body::RequestBodyBuilder,
    response::ResponseBuilder,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

/// The name of the security scheme of API keys in a header.
const KEY_SCHEME: &str = "key";
/// The name of the security scheme of API keys as bearer tokens.
const BEARER_SCHEME: &str = "bearer";
/// The media types of reports.
const REPORT_TYPES: [&str; 4] = ["text/html", "text/markdown", "text/csv", "application/x-ndjson"];

/// The body of an error on a compatible route.
#[derive(Debug, Serialize, JsonSchema)]
struct ErrorMessage {
    /// The reason, and the next step.
    error: String,
}

fn settings(contract: Contract) -> SchemaSettings {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.contract = contract;
    settings
}

/// The generators of schemas. What is received and what is sent have the same names, so their schemas must agree.
struct Generators {
    received: SchemaGenerator,
    sent: SchemaGenerator,
}

/// Converts a schema to the type of the document. A schema that doesn't fit is a bug, which the tests find.
fn converted(schema: JsonSchemaValue) -> RefOr<Schema> {
    let mut value = schema.to_value();
    without_null(&mut value);
    serde_json::from_value(value).unwrap_or_else(|error| {
        debug_assert!(false, "a schema isn't of the document's type: {error}");
        RefOr::T(Schema::default())
    })
}

/// Returns the OpenAPI document of all operations as JSON. `version` is the version of the binary.
pub fn document(version: &str) -> String {
    let mut generators = Generators {
        received: settings(Contract::Deserialize).into_generator(),
        sent: settings(Contract::Serialize).into_generator(),
    };
    let mut paths = Paths::new();
    for operation in OPERATIONS {
        let method = match operation.declaration.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
        };
        paths.add_path_operation(
            operation.declaration.path,
            vec![method],
            documented(operation, &mut generators),
        );
    }
    let mut components = ComponentsBuilder::new()
        .security_scheme(
            KEY_SCHEME,
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "X-Api-Key",
                texts::KEY_DESCRIPTION,
            ))),
        )
        .security_scheme(
            BEARER_SCHEME,
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some(texts::BEARER_DESCRIPTION))
                    .build(),
            ),
        );
    for mut generator in [generators.received, generators.sent] {
        for (name, schema) in generator.take_definitions(true) {
            let schema: Option<JsonSchemaValue> = schema.try_into().ok();
            if let Some(schema) = schema {
                components = components.schema(name, converted(schema));
            }
        }
    }
    let info = InfoBuilder::new()
        .title(texts::TITLE)
        .description(Some(texts::DESCRIPTION))
        .version(version)
        .build();
    let document = OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .build();
    document.to_pretty_json().unwrap_or_default()
}

fn documented(operation: &Operation, generators: &mut Generators) -> Documented {
    let declaration = &operation.declaration;
    let mut builder = OperationBuilder::new()
        .tag(declaration.group)
        .summary(Some(declaration.summary))
        .operation_id(operation.id());
    let (in_body, others): (Vec<&Field>, Vec<&Field>) = operation
        .fields
        .iter()
        .filter(|field| operation.pages || field.selects)
        .partition(|field| is_in_body(operation, field));
    for field in others {
        builder = builder.parameter(parameter(operation, field, generators));
    }
    if !in_body.is_empty() {
        let is_required = in_body.iter().any(|field| field.is_required);
        let body = RequestBodyBuilder::new()
            .description(Some(texts::REQUEST_BODY))
            .required(Some(if is_required {
                Required::True
            } else {
                Required::False
            }))
            .content(
                "application/json",
                Content::new(Some(body_schema(&in_body, generators))),
            );
        builder = builder.request_body(Some(body.build()));
    }
    if operation.is_public() {
        builder = builder.securities(Some(Vec::<SecurityRequirement>::new()));
    } else {
        for scheme in [KEY_SCHEME, BEARER_SCHEME] {
            builder = builder.security(SecurityRequirement::new(scheme, Vec::<String>::new()));
        }
    }
    for (status, response) in responses(operation, generators) {
        builder = builder.response(status, response);
    }
    builder.build()
}

/// Whether a field is in the path.
fn is_in_path(operation: &Operation, field: &Field) -> bool {
    operation
        .declaration
        .path
        .split('/')
        .any(|segment| segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) == Some(field.name))
}

/// Whether a field is in the body.
fn is_in_body(operation: &Operation, field: &Field) -> bool {
    operation.declaration.method == Method::Post
        && field.place == Place::Given
        && !is_in_path(operation, field)
}

fn parameter(operation: &Operation, field: &Field, generators: &mut Generators) -> Parameter {
    let is_in_path = is_in_path(operation, field);
    let (name, place) = match field.place {
        Place::Header(header) => (header, ParameterIn::Header),
        Place::Given if is_in_path => (field.name, ParameterIn::Path),
        Place::Given => (field.name, ParameterIn::Query),
    };
    let schema = (field.schema)(&mut generators.received);
    let is_list = schema.get("type").is_some_and(|kind| kind == "array");
    let mut builder = ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(if field.is_required {
            Required::True
        } else {
            Required::False
        })
        .description(Some(field.description()))
        .schema(Some(converted(schema)));
    if is_list {
        builder = builder.style(Some(ParameterStyle::Form)).explode(Some(false));
    }
    builder.build()
}

fn body_schema(fields: &[&Field], generators: &mut Generators) -> RefOr<Schema> {
    let mut properties = Map::new();
    for field in fields {
        let mut schema = (field.schema)(&mut generators.received).to_value();
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".into(), field.description().into());
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.is_required)
        .map(|field| field.name)
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": Value::Object(properties),
        "additionalProperties": false,
    });
    if let (Some(schema), false) = (schema.as_object_mut(), required.is_empty()) {
        schema.insert("required".into(), required.into());
    }
    let schema: Result<JsonSchemaValue, _> = schema.try_into();
    schema.map_or_else(|_| RefOr::T(Schema::default()), converted)
}

/// Returns the responses by status.
fn responses(operation: &Operation, generators: &mut Generators) -> Vec<(String, Response)> {
    let success = &operation.success;
    let mut response = ResponseBuilder::new().description(operation.declaration.summary);
    let schema = success
        .schema
        .map(|schema| converted(schema(&mut generators.sent)));
    response = response.content(success.media_type, Content::new(schema));
    if operation.declaration.name == "generate_report" {
        for media_type in REPORT_TYPES {
            let text: RefOr<Schema> = converted(schemars::json_schema!({ "type": "string" }));
            response = response.content(media_type, Content::new(Some(text)));
        }
    }
    let mut all = vec![(success.status.to_string(), response.build())];
    let error = match operation.declaration.form {
        Form::Own => {
            let schema = generators.sent.subschema_for::<Problem<'_>>();
            (PROBLEM, converted(schema))
        }
        Form::Compatible => {
            let schema = generators.sent.subschema_for::<ErrorMessage>();
            ("application/json", converted(schema))
        }
    };
    let mut errors: Vec<(&str, &str)> = Vec::new();
    if !operation.is_public() {
        errors.push(("400", texts::BAD_REQUEST));
        errors.push(("401", texts::UNAUTHORIZED));
        if operation.requires_write_key() {
            errors.push(("403", texts::FORBIDDEN));
        }
        errors.push(("404", texts::NOT_FOUND));
        errors.push(("409", texts::CONFLICT));
    }
    errors.push(("default", texts::OTHER_ERRORS));
    for (status, description) in errors {
        let (media_type, schema) = error.clone();
        let response = ResponseBuilder::new()
            .description(description)
            .content(media_type, Content::new(Some(schema)))
            .build();
        all.push((status.to_owned(), response));
    }
    all
}
