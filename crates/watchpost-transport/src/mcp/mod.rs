//! HTTP: routes, and what each answers.

pub(crate) mod answer;
pub(crate) mod negotiation;
pub(crate) mod old_stream;
pub(crate) mod routes;
pub(crate) mod session_stream;
pub(crate) mod streamable;
