//! A name server for the fixture company's domains, over UDP on loopback. It serves the names of `fixtures/company/dns.json`;
//! for any other name the response is that it doesn't exist.

mod wire;
mod zone;

pub(crate) use wire::serve;
pub use zone::DnsRecord;
pub(crate) use zone::Names;
