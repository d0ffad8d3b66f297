//! Name resolution for the HTTP client, restricted to public addresses.

use crate::{address::is_global, text};
use async_trait::async_trait;
use hickory_resolver::{Resolver, TokioResolver};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
};

/// Resolves host names for the client. A connection uses exactly the addresses that this returned and that were checked
/// afterwards.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// Resolves a host name to its addresses.
    ///
    /// # Errors
    /// Returns an error if the name has no address or no name server answered.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// A lookup through the system's name servers.
#[derive(Default)]
pub(crate) struct SystemLookup {
    resolver: OnceLock<TokioResolver>,
}

impl SystemLookup {
    fn resolver(&self) -> io::Result<&TokioResolver> {
        if let Some(resolver) = self.resolver.get() {
            return Ok(resolver);
        }
        let resolver = Resolver::builder_tokio()
            .and_then(hickory_resolver::ResolverBuilder::build)
            .map_err(|_| io::Error::other(text::NO_NAME_SERVERS))?;
        Ok(self.resolver.get_or_init(|| resolver))
    }
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = self
            .resolver()?
            .lookup_ip(name)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::NotFound, text::UNRESOLVED_NAME))?;
        Ok(found.iter().collect())
    }
}

/// The error returned when none of a name's addresses is public.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to no public address")]
pub(crate) struct NoPublicAddress;

/// A resolver that drops every address outside the public internet.
pub(crate) struct PublicOnly(pub(crate) Arc<dyn Lookup>);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.0);
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            let public: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| is_global(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if public.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// A resolver for exempt origins: it returns all addresses.
pub(crate) struct AnyAddress(pub(crate) Arc<dyn Lookup>);

impl Resolve for AnyAddress {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.0);
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
