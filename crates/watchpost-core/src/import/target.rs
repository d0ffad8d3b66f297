//! Which integration a batch belongs to.

use super::ImportBatchHeader;
use crate::{
    integration::Integration,
    value::{id::IntegrationId, text::ForeignText, word::Platform},
};

/// Where a batch goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchTarget {
    /// The integration.
    pub integration: IntegrationId,
    /// Its name and tenant if it is to be made; `None` if it is there, or another batch of the file makes it.
    pub new: Option<(ForeignText, Option<String>)>,
}

/// Why a whole file is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportRefusal {
    /// The named integration isn't there.
    NoIntegration,
    /// The file speaks of another tenant than the named integration.
    OtherTenant {
        /// The tenant in the file.
        found: String,
        /// The tenant of the integration.
        expected: String,
    },
}

/// Decides where the batches of a file go: to the named integration, to the one of the batch's tenant, or to a new
/// one. `batches` comes with the id that a new integration would get. A live integration comes before one made by a
/// former import.
///
/// # Errors
/// [`ImportRefusal`] if an integration was named that doesn't fit; `any_tenant` lets another tenant's file pass.
pub fn targets(
    existing: &[Integration],
    named: Option<IntegrationId>,
    any_tenant: bool,
    batches: &[(&ImportBatchHeader, IntegrationId)],
) -> Result<Vec<BatchTarget>, ImportRefusal> {
    if let Some(id) = named {
        let row = existing
            .iter()
            .find(|row| row.id == id)
            .ok_or(ImportRefusal::NoIntegration)?;
        let expected = row.tenant_key.as_deref().unwrap_or_default();
        let other = batches
            .iter()
            .map(|(header, _)| header.tenant_key.as_str())
            .find(|found| !found.is_empty() && !expected.is_empty() && !found.eq_ignore_ascii_case(expected));
        return match other {
            Some(found) if !any_tenant => Err(ImportRefusal::OtherTenant {
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
    // What this file makes, for later batches of the same tenant.
    let mut made: Vec<(IntegrationId, ForeignText, Option<String>)> = Vec::new();
    for (header, fresh) in batches {
        let tenant = (!header.tenant_key.is_empty()).then(|| header.tenant_key.clone());
        let name = name_of(header);
        let same = |key: Option<&str>, other: &ForeignText| match (&tenant, key) {
            (Some(tenant), Some(key)) => tenant.eq_ignore_ascii_case(key),
            // A file that names no tenant goes where the last of that name went.
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

/// What a new integration is called: the tenant's name, else its id, else after the tool.
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
    fn a_tenant_is_found_in_any_spelling_and_live_before_imported() {
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
    fn a_new_tenant_gets_one_integration_for_all_its_batches() {
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
    fn a_file_without_a_tenant_goes_where_the_last_such_went() {
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
    fn a_named_integration_takes_only_its_own_tenant() {
        let existing = [integration(1, Platform::M365, Some("t1"), "Birchworks")];
        let (own, other, nameless) = (header("T1", ""), header("t2", ""), header("", ""));
        let ask = |named: u8, any: bool, header: &ImportBatchHeader| {
            targets(&existing, Some(id(named)), any, &[(header, id(9))])
        };
        assert!(ask(1, false, &own).is_ok());
        assert!(ask(1, false, &nameless).is_ok());
        assert_eq!(
            ask(1, false, &other),
            Err(ImportRefusal::OtherTenant {
                found: "t2".into(),
                expected: "t1".into()
            })
        );
        assert!(ask(1, true, &other).is_ok());
        assert_eq!(ask(2, true, &own), Err(ImportRefusal::NoIntegration));
    }
}
