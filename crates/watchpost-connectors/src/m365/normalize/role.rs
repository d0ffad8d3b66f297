//! Directory roles and their holders.

use crate::{
    m365::wire,
    value::{id, time},
};
use std::collections::HashMap;
use watchpost_core::{
    integration::fact::{Fact, RoleFacts},
    value::{text::ForeignText, time::Timestamp, word::RoleHold},
};

/// The template id of the Global Administrator role.
pub(super) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// The template ids of the roles with which a whole tenant can be taken over or read.
const PRIVILEGED_ROLES: &[&str] = &[
    GLOBAL_ADMINISTRATOR,
    "e8611ab8-c189-46e8-94e1-60213ab1f814", // Privileged Role Administrator
    "fe930be7-5e62-47db-91af-98c3a49a38b1", // User Administrator
    "f28a1f50-f6e7-4571-818b-6a12f2af6b6c", // SharePoint Administrator
    "29232cdf-9323-42fd-ade2-1d097af3e4de", // Exchange Administrator
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", // Hybrid Identity Administrator
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", // Application Administrator
    "158c047a-c907-4556-b7ef-446551a6b5f7", // Cloud Application Administrator
    "194ae4cb-b126-40b2-bd5b-6091b380977d", // Security Administrator
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", // Conditional Access Administrator
    "c4e39bd9-1100-46d3-8c65-fb160da0071f", // Authentication Administrator
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13", // Privileged Authentication Administrator
    "729827e3-9c14-49f7-bb1b-9608f156bbb8", // Helpdesk Administrator
];

/// The key and the name of a role.
#[derive(Debug, Clone)]
pub(in crate::m365) struct RoleName {
    key: String,
    name: ForeignText,
}

/// Converts a role definition. Returns it with its id.
pub(in crate::m365) fn role_definition(row: &wire::RoleDefinition) -> Option<(String, RoleName)> {
    let definition = id(&row.id)?;
    let key = row
        .template_id
        .as_deref()
        .and_then(id)
        .unwrap_or_else(|| definition.clone());
    let name = ForeignText::name(row.display_name.as_deref().unwrap_or(&key));
    Some((definition, RoleName { key, name }))
}

/// The way in which a role is held, with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::m365) struct Held {
    pub(in crate::m365) hold: RoleHold,
    pub(in crate::m365) ends_at: Option<Timestamp>,
}

impl Held {
    /// Converts the schedule of an active assignment.
    pub(in crate::m365) fn active(end: Option<&str>) -> Self {
        let ends_at = time(end);
        Self {
            hold: if ends_at.is_some() {
                RoleHold::TimeBound
            } else {
                RoleHold::Permanent
            },
            ends_at,
        }
    }
}

/// A role with its holder.
pub(in crate::m365) struct Holding<'a> {
    pub(in crate::m365) assignment: &'a str,
    pub(in crate::m365) principal: &'a str,
    pub(in crate::m365) role_definition: &'a str,
    pub(in crate::m365) via_group: Option<&'a ForeignText>,
    pub(in crate::m365) held: Held,
}

/// Converts a holding. The id of a holding through a group consists of the assignment's and the principal's ids.
pub(in crate::m365) fn role(holding: &Holding<'_>, definitions: &HashMap<String, RoleName>) -> Option<Fact> {
    let assignment = id(holding.assignment)?;
    let principal = id(holding.principal)?;
    let definition = id(holding.role_definition)?;
    let (key, name) = match definitions.get(&definition) {
        Some(role) => (role.key.clone(), role.name.clone()),
        None => (definition.clone(), ForeignText::name(&definition)),
    };
    Some(Fact::Role(RoleFacts {
        vendor_id: match holding.via_group {
            Some(_) => format!("{assignment}:{principal}"),
            None => assignment,
        },
        principal_vendor_id: principal,
        privileged: PRIVILEGED_ROLES.contains(&key.as_str()),
        super_admin: key == GLOBAL_ADMINISTRATOR,
        role_key: key,
        role_name: name,
        hold: holding.held.hold,
        via_group: holding.via_group.cloned(),
        ends_at: holding.held.ends_at,
    }))
}
