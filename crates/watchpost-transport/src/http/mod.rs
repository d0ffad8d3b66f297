//! HTTP: routes, and what each answers.

pub(crate) mod answer;
pub(crate) mod routes;
