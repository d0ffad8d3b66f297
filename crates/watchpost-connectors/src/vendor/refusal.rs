//! What it means that a vendor refuses a request.

use crate::run::Trouble;
use watchpost_core::integration::connector::ConnectorError;
use watchpost_outbound::RequestError;

/// A request that a vendor refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A permission is missing.
    Denied,
    /// The tenant's licence or edition lacks the feature.
    Unlicensed,
    /// There is no such thing (any more).
    NotFound,
    /// The request itself isn't understood (400). With the vendor's words, to be searched and never to be shown.
    Malformed(String),
    /// Another status.
    Status(u16),
    /// It never came to a response.
    Trouble(Trouble),
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<ConnectorError> for Refusal {
    fn from(error: ConnectorError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// What our sentences say of a vendor's API.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api {
    /// Its name.
    pub(crate) name: &'static str,
    /// The sentence for a feature that the tenant doesn't have.
    pub(crate) unlicensed: &'static str,
    /// The field of a configuration that holds its address.
    pub(crate) url_field: &'static str,
}

impl Api {
    /// What a refusal means for a dataset that needs `permission`.
    pub(crate) fn trouble(&self, refusal: Refusal, permission: &'static str) -> Trouble {
        let name = self.name;
        match refusal {
            Refusal::Denied => Trouble::Denied(permission),
            Refusal::Unlicensed => Trouble::Unlicensed(self.unlicensed),
            Refusal::NotFound => Trouble::Failed(format!("{name} knows no such resource (status 404)")),
            Refusal::Malformed(_) => Trouble::Failed(format!("{name} refused the request (status 400)")),
            Refusal::Status(status) => {
                Trouble::Failed(format!("{name} refused the request (status {status})"))
            }
            Refusal::Trouble(trouble) => trouble,
        }
    }

    /// [`Api::trouble`] for `map_err`.
    pub(crate) fn refused(&self, permission: &'static str) -> impl Fn(Refusal) -> Trouble + Copy {
        move |refusal| self.trouble(refusal, permission)
    }

    /// A response with a good status that isn't what the vendor sends.
    pub(crate) fn not_understood(&self) -> Trouble {
        Trouble::Failed(format!("{}'s answer could not be understood", self.name))
    }

    /// Whoever answers at the address isn't the vendor.
    pub(crate) fn unexpected_vendor(&self) -> ConnectorError {
        ConnectorError::Api {
            reason: format!(
                "the address does not answer like {}; check `{}`",
                self.name, self.url_field
            ),
        }
    }
}
