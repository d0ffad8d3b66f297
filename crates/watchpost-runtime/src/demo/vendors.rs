//! The simulated vendors of the demo.

use crate::{clock::DemoClock, serve::event_loop};
use std::{sync::Arc, thread};
use tokio::sync::oneshot;
use watchpost_core::{port::Clock as _, value::time::Timestamp};
use watchpost_simulator::{Company, Simulator, SimulatorConfig, SimulatorHandle};

/// The simulated vendors, on a separate thread.
#[derive(Debug)]
pub(super) struct Vendors {
    pub(super) simulator: SimulatorHandle,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Vendors {
    pub(super) fn start(company: Company, origin: Timestamp, clock: Arc<DemoClock>) -> anyhow::Result<Self> {
        let mut config = SimulatorConfig::new(company, origin.as_millis());
        config.clock = Some(Arc::new(move || clock.now().as_millis()));
        let runtime = event_loop()?;
        let simulator = runtime.block_on(Simulator::start(config))?;
        // The simulated vendors return snapshots without the delay of the real ones.
        simulator.set_snapshot_polls(0);
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("watchpost-vendors".into())
            .spawn(move || {
                let _ = runtime.block_on(ended);
            })?;
        Ok(Self {
            simulator,
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        self.simulator.stop();
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
