//! The reasons for [`crate::RequestError`], which users read.

/// The request sets a header that only the client may set.
pub(crate) const RESERVED_HEADER: &str = "the request sets a reserved header";

pub(crate) const CREDENTIALS_IN_ADDRESS: &str = "it contains a user name or a password";
pub(crate) const NO_HOST: &str = "it has no host";
pub(crate) const NOT_HTTPS: &str = "it doesn't begin with https://";

/// The host is given as an IP address outside the public internet.
pub(crate) const PRIVATE_ADDRESS: &str = "the host's address is not on the public internet";
/// No address to which the host name resolves is on the public internet.
pub(crate) const NO_PUBLIC_ADDRESS: &str = "the host has no address on the public internet";

pub(crate) const CONNECT_TIMEOUT: &str = "connecting took too long";
pub(crate) const CONNECT_FAILED: &str =
    "the connection could not be made (check the name, the network and the certificate)";
pub(crate) const CONNECTION_LOST: &str = "the connection was lost";
pub(crate) const RESPONSE_TIMEOUT: &str = "the response took too long";
pub(crate) const RESPONSE_INCOMPLETE: &str = "the response was incomplete or malformed";

/// The errors of name resolution.
pub(crate) const NO_NAME_SERVERS: &str = "the system's name server configuration can't be read";
pub(crate) const UNRESOLVED_NAME: &str = "the name doesn't resolve";
