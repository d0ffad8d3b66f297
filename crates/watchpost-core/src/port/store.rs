//! All storage ports of a workspace combined, so that the wiring passes one value. An adapter implements the
//! parts, and this trait is implemented automatically.

use crate::{
    access::KeyStore, app::AppStore, audit::AuditStore, finding::FindingStore, identity::IdentityStore,
    import::ImportStore, integration::IntegrationStore, job::JobStore, port::completion::CompletionStore,
    posture::PostureStore, remediation::RemediationStore, scan::ScanStore,
};

/// Storage of everything that belongs to workspaces.
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
