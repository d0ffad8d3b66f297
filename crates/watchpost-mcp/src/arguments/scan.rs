//! The arguments that all tools about one scan have.

use super::{IdLine, Word};
use crate::{error::Failure, text::arguments::malformed_id};
use watchpost_core::{
    access::WorkspaceScope,
    check::ScanType,
    error::Error,
    scan::Scan,
    service::{Unrecorded, Watchpost},
    value::id::{IntegrationId, ScanId},
};

/// The selection of a scan: one by id, or the latest completed one of a type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScanChoice<'i> {
    pub(crate) scan_id: Option<&'i IdLine>,
    pub(crate) scan_type: Option<Word<ScanType>>,
    pub(crate) integration_id: Option<&'i IdLine>,
}

impl ScanChoice<'_> {
    pub(crate) fn scan_type(&self) -> ScanType {
        self.scan_type.map_or(ScanType::Compliance, |word| word.0)
    }
    pub(crate) fn scan_id(&self) -> Result<Option<ScanId>, Failure> {
        scan_id("scan_id", self.scan_id)
    }
    pub(crate) fn integration_id(&self) -> Result<Option<IntegrationId>, Failure> {
        integration_id(self.integration_id)
    }
    pub(crate) async fn find(
        &self,
        watchpost: &Watchpost,
        scope: &WorkspaceScope,
    ) -> Result<Unrecorded<Result<Scan, Error>>, Failure> {
        let id = self.scan_id()?;
        let integration = self.integration_id()?;
        Ok(watchpost
            .find_scan(scope, id, integration, self.scan_type())
            .await)
    }
}

/// Parses a scan's id.
pub(crate) fn scan_id(field: &'static str, text: Option<&IdLine>) -> Result<Option<ScanId>, Failure> {
    text.map(|text| {
        text.as_str()
            .parse()
            .map_err(|_| Failure::invalid(malformed_id(field, "list_scans")))
    })
    .transpose()
}

/// Parses an integration's id.
pub(crate) fn integration_id(text: Option<&IdLine>) -> Result<Option<IntegrationId>, Failure> {
    text.map(|text| {
        text.as_str()
            .parse()
            .map_err(|_| Failure::invalid(malformed_id("integration_id", "get_integrations")))
    })
    .transpose()
}

/// Declares the input struct of a tool about one scan: the selection of the scan, the filter by frameworks and services,
/// and the tool's own fields.
macro_rules! scan_arguments {
    (
        $visibility:vis struct $name:ident {
            $(#[$framework_attribute:meta])*
            framework, service;
            $($own:tt)*
        }
    ) => {
        $crate::arguments::arguments! {
            $visibility struct $name {
                /// Default: the latest completed scan.
                scan_id: Option<$crate::arguments::IdLine>,
                /// Used without scan_id.
                #[schemars(extend("default" = "compliance"))]
                scan_type: Option<$crate::arguments::Word<watchpost_core::check::ScanType>>,
                /// Needed only if several platforms can be scanned.
                integration_id: Option<$crate::arguments::IdLine>,
                /// Default: all.
                $(#[$framework_attribute])*
                #[serde(default)]
                framework: $crate::arguments::Many<watchpost_core::check::Framework>,
                /// Default: all.
                #[serde(default)]
                service: $crate::arguments::Many<watchpost_core::check::Service>,
                $($own)*
            }
        }

        impl $name {
            /// The selection of the scan.
            const fn choice(&self) -> $crate::arguments::ScanChoice<'_> {
                $crate::arguments::ScanChoice {
                    scan_id: self.scan_id.as_ref(),
                    scan_type: self.scan_type,
                    integration_id: self.integration_id.as_ref(),
                }
            }
            /// The filter of the answer's results.
            fn results(&self) -> watchpost_core::scan::ResultFilter {
                watchpost_core::scan::ResultFilter {
                    frameworks: self.framework.as_slice().to_vec(),
                    services: self.service.as_slice().to_vec(),
                    ..watchpost_core::scan::ResultFilter::default()
                }
            }
        }
    };
}
pub(crate) use scan_arguments;
