//! The clock and the random sources of an instance.

use crate::{
    checkpoint::state_dir,
    clock::{SystemClock, SystemRandom},
    data_dir::{DataDir, MasterKey},
};
use std::{fmt, path::PathBuf, sync::Arc};
use watchpost_core::port::{Clock, Random};
use watchpost_sqlite::OpenOptions;

/// The clock and the random sources of an instance.
#[derive(Clone)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source for keys, nonces and markers.
    pub random: Arc<dyn Random>,
    /// The random source for ids that the store generates. Only in the demo it differs from `random`.
    pub store_random: Arc<dyn Random>,
    /// The folder for state outside the data folder, in which checkpoints of the audit trail are kept. Only the binaries set
    /// it: without it, nothing is written outside the data folder unless the settings name a file.
    pub state_dir: Option<PathBuf>,
}

impl Environment {
    /// The clock and the random source of the system.
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            store_random: Arc::new(SystemRandom),
            state_dir: None,
        }
    }

    /// The clock and the random source of the system, and the state folder of the user. `variable` looks up an environment
    /// variable.
    pub fn of_user(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            state_dir: state_dir(variable),
            ..Self::system()
        }
    }

    /// The options to open the store of a data folder.
    pub(super) fn store(&self, dir: &DataDir, master: &MasterKey, create: bool) -> OpenOptions {
        OpenOptions {
            path: dir.database(),
            master: master.for_store(),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.store_random),
            create,
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
