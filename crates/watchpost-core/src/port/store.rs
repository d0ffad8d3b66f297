//! All storage ports of a workspace in one, so that wiring has one value to carry. An adapter implements the parts;
//! this trait comes by itself.

use crate::{
    access::KeyStore, app::AppStore, audit::AuditStore, finding::FindingStore, identity::IdentityStore,
    import::ImportStore, integration::IntegrationStore, job::JobStore, port::completion::CompletionStore,
    posture::PostureStore, remediation::RemediationStore, scan::ScanStore,
};

/// Everything that is stored for workspaces.
pub trait Store:
    AppStore
    + AuditStore
    + CompletionStore
    + FindingStore
    + IdentityStore
    + ImportStore
    + IntegrationStore
    + JobStore
    + KeyStore
    + PostureStore
    + RemediationStore
    + ScanStore
{
}

impl<T> Store for T where
    T: AppStore
        + AuditStore
        + CompletionStore
        + FindingStore
        + IdentityStore
        + ImportStore
        + IntegrationStore
        + JobStore
        + KeyStore
        + PostureStore
        + RemediationStore
        + ScanStore
{
}
