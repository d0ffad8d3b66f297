//! Time and randomness of an instance.

use crate::{
    clock::{SystemClock, SystemRandom},
    data_dir::{DataDir, MasterKey},
};
use std::{fmt, sync::Arc};
use watchpost_core::port::{Clock, Random};
use watchpost_sqlite::OpenOptions;

/// Where time and randomness come from.
#[derive(Clone)]
pub struct Environment {
    /// The clock of everything.
    pub clock: Arc<dyn Clock>,
    /// For keys, nonces and markers.
    pub random: Arc<dyn Random>,
    /// For what the store makes by itself. Another one only in the demo.
    pub store_random: Arc<dyn Random>,
}

impl Environment {
    /// The system's.
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            store_random: Arc::new(SystemRandom),
        }
    }

    /// How to open the store of a data folder.
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
