//! The behavior of an operation.

use crate::{answer::Answer, context::Context, declaration::Declaration, failure::Failure, fields::Fields};
use schemars::JsonSchema;
use std::future::Future;

/// The behavior of an operation.
pub(crate) trait Endpoint: 'static {
    /// The declaration.
    const DECLARATION: Declaration;
    /// The HTTP status of a success.
    const STATUS: u16 = 200;
    /// The parameters.
    type Input: Fields;
    /// The answer, for its schema.
    type Output: JsonSchema;

    /// Serves a request. The use case of a change stores the audit entry with the change; for other requests the server
    /// stores it.
    fn run(context: &Context<'_>, input: Self::Input)
    -> impl Future<Output = Result<Answer, Failure>> + Send;
}
