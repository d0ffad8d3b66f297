//! Settings: flags over environment over `watchpost.toml` over defaults. Unknown keys are errors that name the key, and
//! every value knows where it came from.
//!
//! To add a setting: a field of [`Settings`] and one row in [`KEYS`]; a test compares the two with the documentation of
//! defaults.

mod settings;
mod table;
mod value;

pub use self::{
    settings::{
        HttpSettings, LimitSettings, LogFormat, LogSettings, McpSettings, OutboundSettings, PolicySettings,
        Settings, SyncSettings,
    },
    table::{KEYS, Key},
    value::{InvalidValue, RawValue},
};

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// `watchpost.toml`.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// The command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagValue {
    /// The setting, `http.listen`.
    pub key: &'static str,
    /// As the person wrote it, `--listen`.
    pub flag: &'static str,
    /// The value's text.
    pub value: String,
}

impl FlagValue {
    /// Those flags (setting, flag, value) that were given.
    pub fn given<const N: usize>(flags: [(&'static str, &'static str, Option<String>); N]) -> Vec<Self> {
        flags
            .into_iter()
            .filter_map(|(key, flag, value)| {
                Some(Self {
                    key,
                    flag,
                    value: value?,
                })
            })
            .collect()
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No such setting.
    #[error("{origin}: there is no setting `{key}`{}", similar.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default())]
    Unknown {
        /// What was written.
        key: String,
        /// Where.
        origin: Origin,
        /// The setting with the most similar name.
        similar: Option<&'static str>,
    },
    /// The value doesn't fit.
    #[error("{origin}: `{key}` {wrong}")]
    Invalid {
        /// The setting.
        key: &'static str,
        /// Where.
        origin: Origin,
        /// What was wrong and what would be right.
        wrong: InvalidValue,
    },
    /// The file is no TOML.
    #[error("{path}: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parser's words, with line and column.
        reason: String,
    },
    /// The file can't be read.
    #[error("can't read `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// Settings, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    origins: BTreeMap<&'static str, Origin>,
}

/// One line of `watchpost config show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The setting, `http.listen`.
    pub key: &'static str,
    /// Its value as it would stand in the file.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
    /// What it means.
    pub about: &'static str,
}

impl Loaded {
    /// Reads all layers. `environment` is every variable of the process; those that don't begin with `WATCHPOST_` are
    /// passed over.
    ///
    /// # Errors
    /// [`ConfigError`], naming key and place.
    pub fn load(
        file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[FlagValue],
    ) -> Result<Self, ConfigError> {
        let mut loaded = Self {
            settings: Settings::default(),
            origins: BTreeMap::new(),
        };
        loaded.read_file(file)?;
        let mut variables: Vec<_> = environment.into_iter().collect();
        variables.sort();
        for (name, text) in variables {
            loaded.read_variable(name, text)?;
        }
        for flag in flags {
            let origin = Origin::Flag(flag.flag.into());
            loaded.apply(flag.key, RawValue::Text(flag.value.clone()), origin)?;
        }
        Ok(loaded)
    }

    /// Every setting in the table's order, with its value and origin.
    pub fn show(&self) -> Vec<Shown> {
        KEYS.iter()
            .map(|key| Shown {
                key: key.name,
                value: (key.show)(&self.settings),
                origin: self.origin(key.name).clone(),
                about: key.about,
            })
            .collect()
    }

    /// Where a setting came from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                return Err(ConfigError::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| ConfigError::Syntax {
                path: path.to_owned(),
                reason: error.to_string().trim_end().to_owned(),
            })?;
        for (section, value) in table {
            let toml::Value::Table(entries) = value else {
                return self.apply(&section, RawValue::Toml(value), Origin::File(path.to_owned()));
            };
            for (name, value) in entries {
                let key = format!("{section}.{name}");
                self.apply(&key, RawValue::Toml(value), Origin::File(path.to_owned()))?;
            }
        }
        Ok(())
    }

    fn read_variable(&mut self, name: String, text: String) -> Result<(), ConfigError> {
        let Some(rest) = name.strip_prefix("WATCHPOST_") else {
            return Ok(());
        };
        if table::OTHER_VARIABLES.contains(&rest) || is_service_link(rest, &text) {
            return Ok(());
        }
        let key = KEYS
            .iter()
            .find(|key| key.variable() == name)
            .map_or(rest, |key| key.name)
            .to_owned();
        self.apply(&key, RawValue::Text(text), Origin::Environment(name))
    }

    fn apply(&mut self, name: &str, raw: RawValue, origin: Origin) -> Result<(), ConfigError> {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            return Err(ConfigError::Unknown {
                key: name.to_owned(),
                origin,
                similar: most_similar(name),
            });
        };
        if let Err(wrong) = (key.set)(&mut self.settings, raw) {
            return Err(ConfigError::Invalid {
                key: key.name,
                origin,
                wrong,
            });
        }
        self.origins.insert(key.name, origin);
        Ok(())
    }
}

/// Container platforms describe a service named `watchpost` to its neighbors in variables like
/// `WATCHPOST_PORT_8787_TCP`. They aren't settings, and nobody wrote them.
fn is_service_link(rest: &str, text: &str) -> bool {
    let rest = format!("_{rest}");
    rest.ends_with("_SERVICE_HOST")
        || rest.contains("_SERVICE_PORT")
        || rest.contains("_PORT_")
        || (rest.ends_with("_PORT") && text.contains("://"))
}

/// The setting whose name takes the fewest edits, if that is at most a third of it.
fn most_similar(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    KEYS.iter()
        .flat_map(|key| {
            let last = key.name.rsplit('.').next().unwrap_or(key.name);
            let flat = key.name.replace('.', "_");
            [key.name, last, flat.as_str()]
                .map(|form| (edits(&name, form), key.name))
                .into_iter()
                .min()
        })
        .min()
        .filter(|(count, key)| *count <= key.len().div_ceil(3))
        .map(|(_, key)| key)
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
