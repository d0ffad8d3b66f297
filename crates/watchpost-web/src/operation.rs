//! An entry in the list of operations.

use crate::{
    answer::Reply,
    context::Call,
    export::{Export, Format, export},
    fields::{Field, Fields},
    serve::serve,
    web::Web,
};

pub(crate) use crate::declaration::{Declaration, Form, Method};
pub(crate) use crate::endpoint::Endpoint;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::{future::Future, pin::Pin};

/// The future of a request.
pub(crate) type Serving<'c> = Pin<Box<dyn Future<Output = Reply> + Send + 'c>>;

/// The way in which an operation is served.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// For a principal.
    Keyed(for<'c> fn(Call<'c>) -> Serving<'c>),
    /// For everybody.
    Public(for<'c> fn(&'c Web) -> Serving<'c>),
}

/// The body of a success.
#[derive(Clone, Copy)]
pub(crate) struct Success {
    pub(crate) status: u16,
    pub(crate) media_type: &'static str,
    /// The schema of JSON; `None` for text.
    pub(crate) schema: Option<fn(&mut SchemaGenerator) -> Schema>,
}

/// An entry in the list of operations.
pub struct Operation {
    /// The declaration.
    pub declaration: Declaration,
    pub(crate) kind: Kind,
    pub(crate) fields: &'static [Field],
    /// Whether the fields for pages apply.
    pub(crate) pages: bool,
    pub(crate) success: Success,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.declaration.fmt(f)
    }
}

fn subschema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn boxed<E: Endpoint>(call: Call<'_>) -> Serving<'_> {
    Box::pin(serve::<E>(call))
}

fn boxed_csv<E: Export>(call: Call<'_>) -> Serving<'_> {
    Box::pin(export::<E>(call, Format::Csv))
}

fn boxed_json<E: Export>(call: Call<'_>) -> Serving<'_> {
    Box::pin(export::<E>(call, Format::Json))
}

fn text_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string" })
}

fn object_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object" })
}

impl Operation {
    /// Creates the entry of an operation for keys.
    ///
    /// # Panics
    /// If the operation has no permission. The list is a static, so this fails the build.
    pub(crate) const fn of<E: Endpoint>() -> Self {
        assert!(
            E::DECLARATION.permission.is_some(),
            "an operation that isn't public requires a permission"
        );
        Self {
            declaration: E::DECLARATION,
            kind: Kind::Keyed(boxed::<E>),
            fields: E::Input::LIST,
            pages: true,
            success: Success {
                status: E::STATUS,
                media_type: "application/json",
                schema: Some(subschema::<E::Output>),
            },
        }
    }

    /// Creates the entry of a public operation without parameters.
    pub(crate) const fn public<T: JsonSchema>(
        declaration: Declaration,
        serve: for<'c> fn(&'c Web) -> Serving<'c>,
    ) -> Self {
        Self {
            declaration,
            kind: Kind::Public(serve),
            fields: &[],
            pages: true,
            success: Success {
                status: 200,
                media_type: "application/json",
                schema: Some(subschema::<T>),
            },
        }
    }

    /// Creates the entry of a list as a file.
    pub(crate) const fn file<E: Export>(format: Format) -> Self {
        let (declaration, serve): (_, for<'c> fn(Call<'c>) -> Serving<'c>) = match format {
            Format::Csv => (E::CSV, boxed_csv::<E>),
            Format::Json => (E::JSON, boxed_json::<E>),
        };
        Self {
            declaration,
            kind: Kind::Keyed(serve),
            fields: E::Input::LIST,
            pages: false,
            success: Success {
                status: 200,
                media_type: format.media_type(),
                schema: Some(match format {
                    Format::Csv => text_schema,
                    Format::Json => object_schema,
                }),
            },
        }
    }

    /// Whether the operation needs no credential.
    pub const fn is_public(&self) -> bool {
        matches!(self.kind, Kind::Public(_))
    }

    /// Returns the `operationId`. The compatible routes have none.
    pub const fn id(&self) -> Option<&'static str> {
        match self.declaration.form {
            Form::Own => Some(self.declaration.name),
            Form::Compatible => None,
        }
    }

    /// Whether a request needs a key that may change something.
    pub fn requires_write_key(&self) -> bool {
        use watchpost_core::access::KeyScope;
        let permission = self.declaration.permission;
        permission.is_some_and(|permission| !permission.granted_to_scope(KeyScope::Read))
    }
}
