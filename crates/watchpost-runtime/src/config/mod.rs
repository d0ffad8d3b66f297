//! The settings. Flags take precedence over environment variables, these over `watchpost.toml`, and that over the
//! defaults. An unknown key is an error that names the key, and the origin of every value is stored.
//!
//! To add a setting, add a field to [`Settings`] and a row to [`KEYS`]. A test compares both with a snapshot of the
//! defaults.

mod settings;
mod table;
mod value;

pub use self::{
    settings::{
        AuditSettings, HttpSettings, LimitSettings, LogFormat, LogSettings, McpSettings, OutboundSettings,
        PolicySettings, Settings, SyncSettings,
    },
    table::{KEYS, Key},
    value::{InvalidValue, RawValue},
};

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};
use watchpost_core::value::word::edit_distance;

/// The origin of a setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The value is the default.
    Default,
    /// `watchpost.toml`, by its path.
    File(PathBuf),
    /// An environment variable, by its name.
    Environment(String),
    /// A flag of the command line, by its name.
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
    /// The setting's key, such as `http.listen`.
    pub key: &'static str,
    /// The flag, such as `--listen`.
    pub flag: &'static str,
    /// The value, not yet parsed.
    pub value: String,
}

impl FlagValue {
    /// Selects the flags with a value. Each is a tuple of key, flag and value.
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

/// An error in the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no setting with this key.
    #[error("{origin}: there is no setting `{key}`{}", similar.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default())]
    Unknown {
        /// The unknown key.
        key: String,
        /// The origin of the key.
        origin: Origin,
        /// The setting with the most similar name.
        similar: Option<&'static str>,
    },
    /// The value is invalid.
    #[error("{origin}: `{key}` {error}")]
    Invalid {
        /// The setting's key.
        key: &'static str,
        /// The origin of the value.
        origin: Origin,
        /// The error in the value.
        error: InvalidValue,
    },
    /// The file is not valid TOML.
    #[error("the settings can't be read: correct `{path}`, or move it away: {reason}")]
    Syntax {
        /// The file's path.
        path: PathBuf,
        /// The parser's message, with line and column.
        reason: String,
    },
    /// The file can't be read.
    #[error("can't read `{path}`")]
    Io {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// The settings and their origins.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    origins: BTreeMap<&'static str, Origin>,
}

/// One row of `watchpost config show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The setting's key, such as `http.listen`.
    pub key: &'static str,
    /// The setting's value in the syntax of the file.
    pub value: String,
    /// The value's origin.
    pub origin: Origin,
    /// The setting's meaning.
    pub about: &'static str,
}

impl Loaded {
    /// Reads the file, the environment and the flags. `environment` holds all variables of the process; those that don't
    /// begin with `WATCHPOST_` are ignored.
    ///
    /// # Errors
    /// [`ConfigError`], which names the key and its origin.
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

    /// The origin of a setting's value.
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
        if let Err(error) = (key.set)(&mut self.settings, raw) {
            return Err(ConfigError::Invalid {
                key: key.name,
                origin,
                error,
            });
        }
        self.origins.insert(key.name, origin);
        Ok(())
    }
}

/// Whether a variable was set by a container platform, which describes a service named `watchpost` to other containers
/// in variables such as `WATCHPOST_PORT_8787_TCP`. These are not settings.
fn is_service_link(rest: &str, text: &str) -> bool {
    let rest = format!("_{rest}");
    rest.ends_with("_SERVICE_HOST")
        || rest.contains("_SERVICE_PORT")
        || rest.contains("_PORT_")
        || (rest.ends_with("_PORT") && text.contains("://"))
}

/// The key with the smallest edit distance to `name`, if that is at most a third of the key's length.
fn most_similar(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    KEYS.iter()
        .flat_map(|key| {
            let last = key.name.rsplit('.').next().unwrap_or(key.name);
            let flat = key.name.replace('.', "_");
            [key.name, last, flat.as_str()]
                .map(|form| (edit_distance(&name, form), key.name))
                .into_iter()
                .min()
        })
        .min()
        .filter(|(count, key)| *count <= key.len().div_ceil(3))
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests;
