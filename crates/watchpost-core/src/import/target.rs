//! The decision to which integration a batch belongs.

use super::ImportBatchHeader;
use crate::{
    integration::Integration,
    value::{id::IntegrationId, text::ForeignText, word::Platform},
};

/// The integration to which a batch is assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchTarget {
    /// The integration.
    pub integration: IntegrationId,
    /// The name and tenant of an integration to create; `None` if it exists or another batch of the file creates
    /// it.
    pub new: Option<(ForeignText, Option<String>)>,
}

/// The reason for which a whole file is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportRejection {
    /// The chosen integration doesn't exist.
    NoIntegration,
    /// The file is about another tenant than the chosen integration.
    OtherTenant {
        /// The tenant in the file.
        found: String,
        /// The tenant of the integration.
        expected: String,
    },
}

/// Decides to which integration each batch of a file is assigned: to the chosen one, to the one with the batch's
/// tenant, or to a new one. Each of `batches` comes with the id that a new integration would get. An integration
/// that is synced takes precedence over one created by an earlier import.
///
/// # Errors
/// [`ImportRejection`] if the chosen integration doesn't exist, or is of another tenant and `any_tenant` isn't set.
pub fn targets(
    existing: &[Integration],
    named: Option<IntegrationId>,
    any_tenant: bool,
    batches: &[(&ImportBatchHeader, IntegrationId)],
) -> Result<Vec<BatchTarget>, ImportRejection> {
    if let Some(id) = named {
        let row = existing
            .iter()
            .find(|row| row.id == id)
            .ok_or(ImportRejection::NoIntegration)?;
        let expected = row.tenant_key.as_deref().unwrap_or_default();
        let other = batches
            .iter()
            .map(|(header, _)| header.tenant_key.as_str())
            .find(|found| !found.is_empty() && !expected.is_empty() && !found.eq_ignore_ascii_case(expected));
        return match other {
            Some(found) if !any_tenant => Err(ImportRejection::OtherTenant {
                found: found.to_owned(),
                expected: expected.to_owned(),
            }),
            _ => Ok(batches
                .iter()
                .map(|_| BatchTarget {
                    integration: id,
                    new: None,
                })
                .collect()),
        };
    }
    let mut out: Vec<BatchTarget> = Vec::with_capacity(batches.len());
    // Integrations that this file creates, for later batches with the same tenant.
    let mut made: Vec<(IntegrationId, ForeignText, Option<String>)> = Vec::new();
    for (header, fresh) in batches {
        let tenant = (!header.tenant_key.is_empty()).then(|| header.tenant_key.clone());
        let name = name_of(header);
        let same = |key: Option<&str>, other: &ForeignText| match (&tenant, key) {
            (Some(tenant), Some(key)) => tenant.eq_ignore_ascii_case(key),
            // A file without a tenant is assigned to the integration of earlier files with the same name.
            (None, None) => *other == name,
            _ => false,
        };
        let fits = |live: bool| {
            existing.iter().find(|row| {
                (row.platform != Platform::Import) == live
                    && !(live && row.tenant_key.is_none())
                    && same(row.tenant_key.as_deref(), &row.name)
            })
        };
        let known = fits(true).or_else(|| fits(false)).map(|row| row.id).or_else(|| {
            made.iter()
                .find(|(_, other, key)| same(key.as_deref(), other))
                .map(|(id, _, _)| *id)
        });
        out.push(match known {
            Some(integration) => BatchTarget {
                integration,
                new: None,
            },
            None => {
                made.push((*fresh, name.clone(), tenant.clone()));
                BatchTarget {
                    integration: *fresh,
                    new: Some((name, tenant)),
                }
            }
        });
    }
    Ok(out)
}

/// Returns the name of a new integration: the tenant's name, else the tenant's id, else one based on the tool.
fn name_of(header: &ImportBatchHeader) -> ForeignText {
    if !header.tenant_name.is_empty() {
        header.tenant_name.clone()
    } else if !header.tenant_key.is_empty() {
        ForeignText::name(&header.tenant_key)
    } else {
        ForeignText::name(&format!("{} results", header.tool.title()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        import::{ImportFormat, ImportTool},
        value::{time::Timestamp, word::IntegrationStatus},
    };

    fn header(tenant: &str, name: &str) -> ImportBatchHeader {
        ImportBatchHeader {
            format: ImportFormat::Maester,
            tool: ImportTool::Maester,
            tool_version: ForeignText::default(),
            tenant_key: tenant.into(),
            tenant_name: ForeignText::name(name),
            ran_at: None,
        }
    }

    fn id(number: u8) -> IntegrationId {
        IntegrationId::from_bytes([number; 16])
    }

    fn integration(number: u8, platform: Platform, tenant: Option<&str>, name: &str) -> Integration {
        Integration {
            id: id(number),
            platform,
            name: ForeignText::name(name),
            tenant_key: tenant.map(str::to_owned),
            status: IntegrationStatus::Connected,
            config: std::collections::BTreeMap::new(),
            created_at: Timestamp::from_millis(0),
            last_completed_at: None,
            last_started_at: None,
            failure: None,
            running: None,
            collections: Vec::new(),
        }
    }

    #[test]
    fn tenants_match_in_any_case_and_synced_integrations_take_precedence() {
        let existing = [
            integration(1, Platform::Import, Some("AAAA"), "Birchworks"),
            integration(2, Platform::M365, Some("aaaa"), "Birchworks"),
            integration(3, Platform::Slack, None, "Birchworks"),
        ];
        let found = targets(&existing, None, false, &[(&header("AaAa", "x"), id(9))]).unwrap();
        assert_eq!((found[0].integration, &found[0].new), (id(2), &None));
        let found = targets(&existing[..1], None, false, &[(&header("aaaa", "x"), id(9))]).unwrap();
        assert_eq!(found[0].integration, id(1));
    }

    #[test]
    fn all_batches_of_a_new_tenant_share_one_integration() {
        let (one, two, three) = (
            header("t1", "Birchworks"),
            header("T1", "Birch"),
            header("t2", ""),
        );
        let batches = [(&one, id(7)), (&two, id(8)), (&three, id(9))];
        let found = targets(&[], None, false, &batches).unwrap();
        assert_eq!(
            found[0].new,
            Some((ForeignText::name("Birchworks"), Some("t1".into())))
        );
        assert_eq!((found[1].integration, &found[1].new), (id(7), &None));
        assert_eq!(found[2].new, Some((ForeignText::name("t2"), Some("t2".into()))));
    }

    #[test]
    fn files_without_a_tenant_share_the_integration_of_earlier_ones() {
        let nameless = header("", "");
        let found = targets(&[], None, false, &[(&nameless, id(7))]).unwrap();
        let (name, tenant) = found[0].new.clone().unwrap();
        assert_eq!((name.untrusted(), tenant), ("Maester results", None));
        let existing = [
            integration(1, Platform::Slack, None, "Maester results"),
            integration(2, Platform::Import, None, "Maester results"),
        ];
        let found = targets(&existing, None, false, &[(&nameless, id(7))]).unwrap();
        assert_eq!((found[0].integration, &found[0].new), (id(2), &None));
    }

    #[test]
    fn a_chosen_integration_accepts_only_its_own_tenant() {
        let existing = [integration(1, Platform::M365, Some("t1"), "Birchworks")];
        let (own, other, nameless) = (header("T1", ""), header("t2", ""), header("", ""));
        let ask = |named: u8, any: bool, header: &ImportBatchHeader| {
            targets(&existing, Some(id(named)), any, &[(header, id(9))])
        };
        assert!(ask(1, false, &own).is_ok());
        assert!(ask(1, false, &nameless).is_ok());
        assert_eq!(
            ask(1, false, &other),
            Err(ImportRejection::OtherTenant {
                found: "t2".into(),
                expected: "t1".into()
            })
        );
        assert!(ask(1, true, &other).is_ok());
        assert_eq!(ask(2, true, &own), Err(ImportRejection::NoIntegration));
    }
}
