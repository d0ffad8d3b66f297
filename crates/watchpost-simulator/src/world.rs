//! The state of the company: the fixture at a stage, with the changes made since.

use crate::{
    company::{Company, Grant, HeldRole, Hold, Login, M365App, OktaAccount, OktaApp, OktaToken, Person},
    ids::{self, Kind, mix},
    settings::{self, Documents},
    when::{DAY_MS, HOUR_MS, When},
};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The state of the company at `as_of_ms`. It is cheap to clone, since its lists are short.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) company: Arc<Company>,
    pub(crate) seed: u64,
    /// The time that offsets are relative to.
    pub(crate) origin_ms: i64,
    /// The time of the stage. Objects that were created later don't exist yet.
    pub(crate) as_of_ms: i64,
    explicit: Vec<Person>,
    edited: BTreeMap<u64, Person>,
    keys: HashMap<String, u64>,
    pub(crate) m365_apps: Vec<M365App>,
    pub(crate) okta_apps: Vec<OktaApp>,
    pub(crate) okta_tokens: Vec<OktaToken>,
    pub(crate) grants: Vec<Grant>,
    /// The settings documents by path, with placeholders.
    pub(crate) settings: Arc<Documents>,
    pub(crate) dns: crate::dns::Names,
}

impl World {
    /// Creates the state of the company at `origin_ms + stage_offset_ms`.
    pub(crate) fn new(company: Arc<Company>, seed: u64, origin_ms: i64, stage_offset_ms: i64) -> Self {
        let as_of_ms = origin_ms.saturating_add(stage_offset_ms);
        let mut explicit = Vec::with_capacity(company.people.len());
        for raw in &company.people {
            let mut raw = raw.clone();
            let key = raw
                .get("key")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            for drift in company
                .drift
                .iter()
                .filter(|d| d.person == key && as_of_ms < d.until.ms(origin_ms))
            {
                merge_patch(&mut raw, &drift.was);
            }
            explicit.push(serde_json::from_value(raw).expect("a test parses all people with their drift"));
        }
        let keys = explicit
            .iter()
            .zip(0..)
            .map(|(person, index): (&Person, u64)| (person.key.clone(), index))
            .collect();
        Self {
            seed,
            origin_ms,
            as_of_ms,
            explicit,
            edited: BTreeMap::new(),
            keys,
            m365_apps: company.m365_apps.clone(),
            okta_apps: company.okta_apps.clone(),
            okta_tokens: company.okta_tokens.clone(),
            grants: company.grants.clone(),
            settings: Arc::new(settings::as_of(
                &company.settings,
                &company.setting_drift,
                origin_ms,
                as_of_ms,
            )),
            dns: company.dns.clone(),
            company,
        }
    }

    /// Returns the number of positions of people, some of which may be empty.
    pub(crate) fn people(&self) -> u64 {
        self.explicit.len() as u64 + u64::from(self.company.bulk.people)
    }

    /// Returns the number of people who are written out in the fixture. They have the first positions.
    pub(crate) fn explicit_people(&self) -> u64 {
        self.explicit.len() as u64
    }

    /// Whether the position is that of an ordinary person who hasn't been changed and therefore has no role.
    pub(crate) fn ordinary(&self, index: u64) -> bool {
        index >= self.explicit_people() && !self.edited.contains_key(&index)
    }

    /// Returns the person at a position, unless the person hasn't joined yet or has been deleted.
    pub(crate) fn person(&self, index: u64) -> Option<Cow<'_, Person>> {
        let person = self.person_ever(index)?;
        self.exists(person.created, person.deleted).then_some(person)
    }

    fn person_ever(&self, index: u64) -> Option<Cow<'_, Person>> {
        if let Some(person) = self
            .edited
            .get(&index)
            .or_else(|| self.explicit.get(index as usize))
        {
            return Some(Cow::Borrowed(person));
        }
        let n = index.checked_sub(self.explicit.len() as u64)?;
        (n < u64::from(self.company.bulk.people)).then(|| {
            Cow::Owned(
                self.company
                    .bulk
                    .person(n, self.seed, &self.company.profile.domain),
            )
        })
    }

    /// Returns the position of the person with a key, whether or not the person exists at the stage.
    pub(crate) fn position(&self, key: &str) -> Option<u64> {
        self.keys.get(key).copied()
    }

    /// Returns the position of the existing person with an address, ignoring case. Searches all people.
    pub(crate) fn find_email(&self, email: &str) -> Option<u64> {
        (0..self.people()).find(|&index| {
            self.person(index)
                .is_some_and(|p| p.email.eq_ignore_ascii_case(email))
        })
    }

    /// Whether the position belongs to every `every`-th ordinary person.
    pub(crate) fn in_share(&self, index: u64, every: u64, salt: u64) -> bool {
        index
            .checked_sub(self.explicit_people())
            .is_some_and(|n| (n + salt).is_multiple_of(every.max(1)))
    }

    /// Replaces the person at a position.
    pub(crate) fn put_person(&mut self, index: u64, person: Person) {
        self.keys.insert(person.key.clone(), index);
        self.edited.insert(index, person);
    }

    /// Whether an object with these times exists at the stage.
    pub(crate) fn exists(&self, created: When, deleted: Option<When>) -> bool {
        created.ms(self.origin_ms) <= self.as_of_ms
            && deleted.is_none_or(|deleted| deleted.ms(self.origin_ms) > self.as_of_ms)
    }

    /// Whether `since` is at or before the stage. `None` stands for something that has always existed.
    pub(crate) fn has_begun(&self, since: Option<When>) -> bool {
        since.is_none_or(|since| since.ms(self.origin_ms) <= self.as_of_ms)
    }

    /// Returns the time of an account's last use before `clock_ms`, or `None` if it was never used.
    pub(crate) fn last_login_ms(
        &self,
        index: u64,
        person: &Person,
        account: Login,
        clock_ms: i64,
    ) -> Option<i64> {
        let login = if account == Login::Inherit {
            person.last_login
        } else {
            account
        };
        let at = match login {
            Login::Never => return None,
            Login::Habit(offset) => clock_ms + offset,
            Login::Inherit => {
                let noise = mix(self.seed, 300, index);
                clock_ms - HOUR_MS - (noise % (18 * DAY_MS as u64)) as i64
            }
            Login::Stopped(when) => when.ms(self.origin_ms),
        };
        Some(at.max(person.created.ms(self.origin_ms) + HOUR_MS).min(clock_ms))
    }

    /// Whether sign-in to Microsoft 365 is allowed.
    pub(crate) fn m365_enabled(&self, account: &crate::company::M365Account) -> bool {
        account
            .disabled
            .is_none_or(|since| since.ms(self.origin_ms) > self.as_of_ms)
    }

    /// Returns the Okta status and the time since which it applies. Before `status_changed` the account was active.
    pub(crate) fn okta_status<'a>(&self, person: &Person, account: &'a OktaAccount) -> (&'a str, i64) {
        let created = person.created.ms(self.origin_ms) + 60_000;
        match (&account.status, account.status_changed) {
            (Some(status), Some(at)) if at.ms(self.origin_ms) <= self.as_of_ms => {
                (status, at.ms(self.origin_ms))
            }
            (Some(status), None) => (status, created),
            _ => ("ACTIVE", created),
        }
    }

    /// Returns the roles that are held at the stage, active or eligible.
    pub(crate) fn held<'a>(&self, roles: &'a [HeldRole]) -> impl Iterator<Item = &'a HeldRole> + use<'a> {
        let (origin_ms, as_of_ms) = (self.origin_ms, self.as_of_ms);
        roles
            .iter()
            .filter(move |role| role.since.ms(origin_ms) <= as_of_ms)
    }

    /// Returns the existing app of Microsoft 365 with a name, and its position.
    pub(crate) fn m365_app(&self, name: &str) -> Option<(u64, &M365App)> {
        self.m365_apps
            .iter()
            .zip(0..)
            .find(|(app, _)| app.name == name && self.exists(app.created, app.deleted))
            .map(|(app, index)| (index, app))
    }

    pub(crate) fn person_guid(&self, index: u64) -> String {
        ids::guid(self.seed, Kind::Person, index)
    }

    pub(crate) fn okta_user_id(&self, index: u64) -> String {
        ids::okta(self.seed, "00u", Kind::Person, index)
    }

    pub(crate) fn tenant_id(&self) -> String {
        ids::guid(self.seed, Kind::Tenant, 1)
    }

    /// Returns the time of the last password change, by default a time in the last year.
    pub(crate) fn password_changed_ms(&self, index: u64, person: &Person, set: Option<When>) -> i64 {
        let fallback = When::Offset(-((mix(self.seed, 301, index) % 120 + 90) as i64) * DAY_MS);
        let at = set
            .unwrap_or(fallback)
            .ms(self.origin_ms)
            .min(self.as_of_ms - DAY_MS / 2);
        at.max(person.created.ms(self.origin_ms))
    }
}

impl Hold {
    /// Whether the role is active, not only eligible.
    pub(crate) fn active(self) -> bool {
        !matches!(self, Self::Eligible)
    }
}

/// Applies a JSON merge patch (RFC 7396).
pub(crate) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(target) = target {
        for (key, value) in patch {
            if value.is_null() {
                target.remove(key);
            } else {
                merge_patch(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
}
