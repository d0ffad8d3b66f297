//! The system's limit of open files, which also counts connections, and the limits of the server that follow from it.

use crate::text;
use anyhow::{Result, bail};
use watchpost_transport::Limits;

/// The files that the process needs besides connections of clients: the database with its log for each thread, event loops,
/// connections to vendors, and some room for backups, reports and exports.
const FILES_RESERVED: u64 = 128;
/// The files that one more thread needs.
const FILES_PER_THREAD: u64 = 8;
/// The number of connections below which the server doesn't start.
const CONNECTIONS_MIN: usize = 16;

/// The limit of open files of this process. `None` if the system has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFiles {
    /// The limit that is in effect.
    pub limit: Option<u64>,
    /// The limit up to which the process may raise its own.
    pub allowed: Option<u64>,
}

/// The connections and streams that the limit of open files allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The number of connections, without those reserved for probes.
    pub connections: usize,
    /// The number of connections of one key.
    pub connections_per_key: usize,
    /// The number of event streams.
    pub streams: usize,
    /// The number of event streams of one key.
    pub streams_per_key: usize,
    /// Whether the limit of open files allows fewer streams than the settings.
    pub is_reduced: bool,
}

impl OpenFiles {
    /// Returns the limits of this process.
    pub fn of_process() -> Self {
        #[cfg(unix)]
        {
            let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
            Self {
                limit: limit.current,
                allowed: limit.maximum,
            }
        }
        #[cfg(not(unix))]
        Self {
            limit: None,
            allowed: None,
        }
    }

    /// Raises the limit to what `limits` need with `threads`, as far as the system allows it. Returns the limits afterwards.
    pub fn raise(limits: &Limits, threads: usize) -> Self {
        let files = Self::of_process();
        #[cfg(unix)]
        if let Some(current) = files.limit {
            use rustix::process::{Resource, Rlimit, setrlimit};
            let needed = needed(limits, threads);
            let wanted = files.allowed.map_or(needed, |allowed| allowed.min(needed));
            if wanted > current {
                let raised = setrlimit(
                    Resource::Nofile,
                    Rlimit {
                        current: Some(wanted),
                        maximum: files.allowed,
                    },
                );
                if let Err(error) = raised {
                    tracing::warn!(%error, current, wanted, "the limit of open files couldn't be raised");
                }
                return Self::of_process();
            }
        }
        #[cfg(not(unix))]
        let _ = (limits, threads);
        files
    }

    /// Returns the limits up to which the process may raise its own, for a process that will do so.
    #[must_use]
    pub fn raised(self) -> Self {
        Self {
            limit: self.allowed,
            ..self
        }
    }

    /// Returns what the limit in effect allows of `limits`.
    ///
    /// # Errors
    /// If it doesn't even allow a few connections. The message says how to raise the limit.
    pub fn capacity(self, limits: &Limits, threads: usize) -> Result<Capacity> {
        let connections = match self.limit {
            None => limits.connections_total,
            Some(limit) => {
                let left = limit.saturating_sub(reserved(limits, threads));
                limits
                    .connections_total
                    .min(usize::try_from(left).unwrap_or(usize::MAX))
            }
        };
        if connections < CONNECTIONS_MIN {
            let needed = reserved(limits, threads) + CONNECTIONS_MIN as u64;
            bail!(text::too_few_open_files(self.limit.unwrap_or(0), needed));
        }
        // Streams over HTTP/1 take a connection each. Some connections must be left for calls.
        let streams = limits.streams_total.min(connections - connections / 6);
        let streams_per_key = if streams < limits.streams_total {
            limits.streams_per_key.min(streams / 2)
        } else {
            limits.streams_per_key
        };
        Ok(Capacity {
            connections,
            connections_per_key: limits.connections_per_key.min(connections / 2),
            streams,
            streams_per_key,
            is_reduced: streams < limits.streams_total,
        })
    }
}

/// The files that aren't available to ordinary connections.
fn reserved(limits: &Limits, threads: usize) -> u64 {
    FILES_RESERVED + threads as u64 * FILES_PER_THREAD + limits.connections_reserved as u64
}

#[cfg(any(unix, test))]
fn needed(limits: &Limits, threads: usize) -> u64 {
    limits.connections_total as u64 + reserved(limits, threads)
}

impl Capacity {
    /// Reduces `limits` to what is possible.
    pub fn apply(self, limits: &mut Limits) {
        limits.connections_total = self.connections;
        limits.connections_per_key = self.connections_per_key;
        limits.streams_total = self.streams;
        limits.streams_per_key = self.streams_per_key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(limit: u64) -> Result<Capacity> {
        let files = OpenFiles {
            limit: Some(limit),
            allowed: Some(limit),
        };
        files.capacity(&Limits::default(), 2)
    }

    #[test]
    fn a_low_limit_leaves_files_for_probes_and_the_store() {
        let limits = Limits::default();
        for limit in [224, 256, 1_024, 4_096, 10_240, 1_048_576] {
            let capacity = capacity(limit).unwrap();
            let all = capacity.connections + limits.connections_reserved + 128 + 2 * 8;
            assert!(all as u64 <= limit, "{limit}: {capacity:?}");
            assert!(capacity.streams < capacity.connections, "{limit}: {capacity:?}");
            assert!(
                capacity.streams_per_key * 2 <= capacity.streams || !capacity.is_reduced,
                "{limit}: {capacity:?}"
            );
            assert!(
                capacity.connections_per_key * 2 <= capacity.connections,
                "{limit}: {capacity:?}"
            );
        }
        assert_eq!(
            capacity(1_024).unwrap(),
            Capacity {
                connections: 816,
                connections_per_key: 408,
                streams: 680,
                streams_per_key: 340,
                is_reduced: true
            }
        );
    }

    #[test]
    fn a_high_limit_changes_nothing() {
        let limits = Limits::default();
        for files in [needed(&limits, 2), 1 << 20] {
            let capacity = capacity(files).unwrap();
            assert!(!capacity.is_reduced);
            let mut reduced = limits.clone();
            capacity.apply(&mut reduced);
            assert_eq!(reduced, limits);
        }
        let unlimited = OpenFiles {
            limit: None,
            allowed: None,
        };
        assert!(!unlimited.capacity(&limits, 2).unwrap().is_reduced);
    }

    #[test]
    fn a_limit_without_room_for_connections_is_an_error_that_names_the_needed_one() {
        let error = capacity(64).unwrap_err().to_string();
        assert!(error.contains("64") && error.contains("224"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_of_this_process_is_known() {
        let files = OpenFiles::of_process();
        let limit = files.limit.expect("test environments have a limit");
        assert!(files.allowed.is_none_or(|allowed| limit <= allowed));
    }
}
