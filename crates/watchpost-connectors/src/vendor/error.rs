//! Errors of a vendor's API.

use crate::{run::ReadError, text};
use watchpost_core::integration::connector::ConnectorError;
use watchpost_outbound::RequestError;

/// The reason why a request to a vendor failed.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// A permission is missing.
    Denied,
    /// A role is missing, although the permission is granted.
    RoleDenied(&'static str),
    /// The tenant's license or edition doesn't include the feature.
    Unlicensed,
    /// The resource doesn't exist, or no longer exists.
    NotFound,
    /// The request is malformed (400). Holds the vendor's message, which is searched but never shown.
    Malformed(String),
    /// The response has another error status.
    Status(u16),
    /// There is no usable response.
    Read(ReadError),
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        Self::Read(error.into())
    }
}

impl From<ConnectorError> for ApiError {
    fn from(error: ConnectorError) -> Self {
        Self::Read(error.into())
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// A vendor's API, as messages describe it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api {
    /// The API's name.
    pub(crate) name: &'static str,
    /// The message for a feature that the tenant's license doesn't include.
    pub(crate) unlicensed: &'static str,
    /// The configuration's field for the API's address.
    pub(crate) url_field: &'static str,
}

impl Api {
    /// Converts the error of a request for a dataset that needs `permission`.
    pub(crate) fn read_error(&self, error: ApiError, permission: &'static str) -> ReadError {
        let name = self.name;
        match error {
            ApiError::Denied => ReadError::Denied(permission),
            ApiError::RoleDenied(role) => ReadError::Denied(role),
            ApiError::Unlicensed => ReadError::Unlicensed(self.unlicensed),
            ApiError::NotFound => ReadError::Failed(text::no_such_resource(name)),
            ApiError::Malformed(_) => ReadError::Failed(text::request_rejected(name, 400)),
            ApiError::Status(status) => ReadError::Failed(text::request_rejected(name, status)),
            ApiError::Read(error) => error,
        }
    }

    /// Returns [`Api::read_error`] as a closure for `map_err`.
    pub(crate) fn read_error_for(&self, permission: &'static str) -> impl Fn(ApiError) -> ReadError + Copy {
        move |error| self.read_error(error, permission)
    }

    /// Returns the error for a response with a success status that isn't in the vendor's format.
    pub(crate) fn unexpected_response(&self) -> ReadError {
        ReadError::Failed(text::unexpected_response(self.name))
    }

    /// Returns the error for a host that doesn't respond like the vendor.
    pub(crate) fn unexpected_vendor(&self) -> ConnectorError {
        ConnectorError::Api {
            reason: text::unexpected_vendor(self.name, self.url_field),
        }
    }
}
