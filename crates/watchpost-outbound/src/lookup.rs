//! Names to addresses, of which only public ones come out.

use crate::address::is_global;
use async_trait::async_trait;
use hickory_resolver::{Resolver, TokioResolver};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
};

/// Looks names up for the client. A connection goes to the very addresses that this gave and that were then checked.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// The addresses of a name.
    ///
    /// # Errors
    /// If there are none or nobody could be asked.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the name servers that the system is configured with.
#[derive(Default)]
pub(crate) struct SystemLookup {
    resolver: OnceLock<TokioResolver>,
}

impl SystemLookup {
    fn resolver(&self) -> io::Result<&TokioResolver> {
        if let Some(resolver) = self.resolver.get() {
            return Ok(resolver);
        }
        let made = Resolver::builder_tokio()
            .and_then(hickory_resolver::ResolverBuilder::build)
            .map_err(|_| io::Error::other("the system's name server configuration can't be read"))?;
        Ok(self.resolver.get_or_init(|| made))
    }
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = self
            .resolver()?
            .lookup_ip(name)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::NotFound, "the name doesn't resolve"))?;
        Ok(found.iter().collect())
    }
}

/// All addresses of a name are private.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no public address")]
pub(crate) struct NoPublicAddress;

/// Drops whatever isn't on the public internet.
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

/// For origins that the operator listed.
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
