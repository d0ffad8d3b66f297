//! The evaluator of one thread: turns a document into verdicts.

use super::{host, set::CheckSet, verdict, view::View};
use crate::{
    limits::Limits,
    pack::Pack,
    program::{Compiled, Stop},
    text,
};
use regorus::{Value, rvm::vm::RegoVM};
use std::sync::Arc;
use watchpost_core::check::{CheckDocument, CheckResult, Outcome, Profile, Verdict};

/// Evaluates checks on the calling thread, with its own machines. Creating a judge is cheap: programs are compiled on
/// demand and shared by all judges of a pack.
///
/// The thread needs a stack of at least [`CheckJudge::STACK_BYTES`].
pub struct CheckJudge {
    set: Arc<CheckSet>,
    machines: Vec<Option<Machine>>,
}

impl std::fmt::Debug for CheckJudge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckJudge").finish_non_exhaustive()
    }
}

impl CheckJudge {
    /// Required stack size of a judge's thread, in bytes. Expressions and values are nested.
    pub const STACK_BYTES: usize = crate::program::STACK_BYTES;

    /// Creates a judge for the pack's checks.
    pub fn new(pack: &Pack) -> Self {
        Self::of(Arc::clone(pack.check_set()))
    }

    pub(crate) fn of(set: Arc<CheckSet>) -> Self {
        let machines = (0..set.group_count()).map(|_| None).collect();
        Self { set, machines }
    }

    /// Evaluates the checks at the given positions of [`CheckSet::checks`] on one document. Returns one verdict per
    /// position, in the given order. `now_ms` is the current time for the checks, in milliseconds since 1970.
    pub fn judge(
        &mut self,
        document: &Arc<CheckDocument>,
        checks: &[usize],
        profile: Profile,
        now_ms: i64,
    ) -> Vec<Verdict> {
        let view = View::new(&self.set, document, profile, now_ms);
        self.judge_view(view.as_ref().map_err(String::as_str), checks)
    }

    /// Like [`Self::judge`], on a document that is already converted.
    pub(crate) fn judge_view(&mut self, view: Result<&View, &str>, checks: &[usize]) -> Vec<Verdict> {
        checks
            .iter()
            .map(|check| Verdict {
                check: *check,
                outcome: match view {
                    Ok(view) => self.one(view, *check),
                    Err(error) => Outcome::plain(CheckResult::Error, None, error),
                },
            })
            .collect()
    }

    fn one(&mut self, view: &View, position: usize) -> Outcome {
        let set = Arc::clone(&self.set);
        let Some(check) = set.checks().get(position) else {
            return Outcome::plain(CheckResult::Error, None, text::NO_SUCH_CHECK);
        };
        if let Some(outcome) = host::decided(check, &view.document, view.profile()) {
            return outcome;
        }
        let judged = view
            .input(&set, position)
            .and_then(|input| self.evaluate(position, input));
        host::read_as(view.profile(), check, &view.document, judged)
    }

    fn evaluate(&mut self, position: usize, input: Value) -> Result<Outcome, String> {
        let (group, entry) = self.set.place(position).ok_or(text::NO_PROGRAM)?;
        let slot = self.machines.get_mut(group).ok_or(text::NO_PROGRAM)?;
        let machine = match slot {
            Some(machine) => machine,
            None => {
                let compiled = self.set.compiled(group)?;
                slot.insert(Machine::new(compiled, &self.set.limits_of(group))?)
            }
        };
        machine.run(entry, input).map_err(|stop| {
            if matches!(stop, Stop::Panicked) {
                *slot = None;
            }
            stop.reason()
        })?
    }
}

/// A machine with its program.
pub(crate) struct Machine {
    compiled: Arc<Compiled>,
    machine: RegoVM,
}

impl Machine {
    pub(crate) fn new(compiled: Arc<Compiled>, limits: &Limits) -> Result<Self, String> {
        let machine = compiled.machine(&Value::new_object(), limits)?;
        Ok(Self { compiled, machine })
    }

    /// Runs an entry point. The inner error reports an invalid result.
    pub(crate) fn run(&mut self, entry: usize, input: Value) -> Result<Result<Outcome, String>, Stop> {
        self.machine.set_input(input);
        let value = self.compiled.run(&mut self.machine, entry)?;
        Ok(verdict::read(&value))
    }
}
