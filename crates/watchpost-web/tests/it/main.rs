//! The OpenAPI document and the page of the API follow from the declarations.

mod document;
mod page;
