//! A name server for the fixture company's domains, over UDP on loopback. It knows the names of
//! `fixtures/company/dns.json` and says of every other that it doesn't exist.

mod wire;
mod zone;

pub(crate) use wire::serve;
pub use zone::DnsRecord;
pub(crate) use zone::Names;
