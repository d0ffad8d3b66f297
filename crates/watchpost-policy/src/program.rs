//! Compiles sources to programs that threads can share.

use crate::{
    alias::expand_imports,
    limits::{FUNCTIONS, LIBRARY_FUNCTIONS, Limits},
    text,
};
use regorus::{
    CompiledPolicy, Engine, PolicyLengthConfig, Rc, Value,
    languages::rego::compiler::Compiler,
    rvm::{
        program::Program,
        vm::{RegoVM, VmError},
    },
    utils::limits::ExecutionTimerConfig,
};
use std::{
    num::{NonZeroU32, NonZeroUsize},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

/// Number of instructions between two checks of the clock.
const CLOCK_INTERVAL: NonZeroU32 = NonZeroU32::new(256).expect("not zero");
/// The same for a customer's rule: numbers are unbounded, and a few squarings in a row can take minutes.
const CLOCK_INTERVAL_CUSTOMER: NonZeroU32 = NonZeroU32::MIN;
/// Maximum time of a built-in rule on one document. Built-in rules are known to terminate and have a limit on
/// instructions; the wall clock also runs while the thread waits for a busy processor.
const TIME_BUILTIN: Duration = Duration::from_secs(30);
/// Stack size of every thread that compiles or evaluates. Expressions and values are nested.
pub(crate) const STACK_BYTES: usize = 16 * 1024 * 1024;

/// A Rego file.
pub(crate) struct Module<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

/// Rules or checks that are compiled together. Entry point `i` is the rule `rules[i]`.
#[derive(Clone)]
pub(crate) struct Compiled {
    pub(crate) rules: Vec<usize>,
    builtin: bool,
    /// The file of the first of `rules`.
    file: String,
    program: Arc<Program>,
    policy: CompiledPolicy,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Compiled {
    /// Compiles `modules`. `rules` are the positions and packages of the rules among them.
    pub(crate) fn new(
        modules: &[Module<'_>],
        rules: &[(usize, String)],
        builtin: bool,
        limits: &Limits,
    ) -> Result<Self, String> {
        // A file within the limits may grow when imports are expanded; any other file is rejected as it is.
        let fits = modules.iter().all(|module| fits(module.text, limits));
        let (room, bytes_room) = if fits { (16, 16) } else { (1, 1) };
        let mut engine = Engine::new();
        engine.set_policy_length_config(PolicyLengthConfig {
            max_col: NonZeroU32::new(limits.columns.saturating_mul(room)).unwrap_or(NonZeroU32::MIN),
            max_file_bytes: NonZeroUsize::new(limits.file_bytes.saturating_mul(bytes_room))
                .unwrap_or(NonZeroUsize::MIN),
            max_lines: NonZeroUsize::new(limits.lines).unwrap_or(NonZeroUsize::MIN),
        });
        for module in modules {
            engine
                .add_policy(module.file.to_owned(), expand_imports(module.text).into_owned())
                .map_err(|error| explain(module.file, &error.to_string()))?;
        }
        let entries: Vec<String> = rules
            .iter()
            .map(|(_, package)| format!("data.{package}.result"))
            .collect();
        let names: Vec<&str> = entries.iter().map(String::as_str).collect();
        // With several rules, the file of the last one stands for all of them.
        let file = modules.last().map_or("", |module| module.file);
        // Libraries come before the rules that import them.
        let first_file = modules
            .len()
            .checked_sub(rules.len())
            .and_then(|first| modules.get(first))
            .map_or_else(String::new, |module| module.file.to_owned());
        let first: Rc<str> = Rc::from(entries.first().map_or("", String::as_str));
        let policy = engine
            .compile_with_entrypoint(&first)
            .map_err(|error| match error.to_string() {
                message if message.contains("valid rule path") => text::no_result_rule(file),
                message => explain(file, &message),
            })?;
        let program = Compiler::compile_from_policy(&policy, &names)
            .map_err(|error| explain(file, &error.to_string()))?;
        Ok(Self {
            rules: rules.iter().map(|(index, _)| *index).collect(),
            builtin,
            file: first_file,
            program,
            policy,
        })
    }

    /// Returns the first function in the program that neither a customer's rule nor the library may call.
    pub(crate) fn forbidden_function(&self) -> Option<&str> {
        self.program
            .builtin_info_table
            .iter()
            .map(|info| info.name.as_str())
            .find(|name| !FUNCTIONS.contains(name) && !LIBRARY_FUNCTIONS.contains(name))
    }

    /// Explains an error of a machine on one line, starting with the file and line.
    fn explain(&self, error: &VmError) -> String {
        let whole = error.to_string();
        // Each message ends with the position: `… (pc=46)`, `…, pc=46)`.
        let (message, place) = whole
            .rsplit_once("pc=")
            .and_then(|(message, place)| Some((message, place.trim_end_matches(')').parse::<usize>().ok()?)))
            .map_or((whole.as_str(), None), |(message, place)| (message, Some(place)));
        let explanation = match error {
            VmError::InstructionLimitExceeded { limit, .. } => text::out_of_instructions(limit),
            VmError::TimeLimitExceeded { limit, .. } => text::out_of_time(limit.as_millis()),
            _ => message.trim_end_matches([' ', '(', ',']).to_owned(),
        };
        let clipped = explanation.chars().take(300);
        if self.rules.len() != 1 {
            return clipped.collect();
        }
        // Spans number files in the order in which they were compiled, starting with the rule's own file. A position in
        // the library doesn't help the rule's author.
        let span = place.and_then(|place| self.program.get_instruction_span(place));
        let own = span.filter(|span| span.source_index == 0 && span.line > 0);
        let place = own.map_or_else(
            || format!("{}: ", self.file),
            |span| format!("{}:{}: ", self.file, span.line),
        );
        place.chars().chain(clipped).collect()
    }

    /// Runs an entry point on a machine whose input is set.
    pub(crate) fn run(&self, machine: &mut RegoVM, entry: usize) -> Result<Value, Stop> {
        match catch_unwind(AssertUnwindSafe(|| machine.execute_entry_point_by_index(entry))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let reason = self.explain(&error);
                Err(match error {
                    VmError::TimeLimitExceeded { .. } | VmError::InstructionLimitExceeded { .. } => {
                        Stop::LimitExceeded(reason)
                    }
                    _ => Stop::Failed(reason),
                })
            }
            Err(_) => Err(Stop::Panicked),
        }
    }

    /// Creates a machine that runs the program, for one thread.
    pub(crate) fn machine(&self, data: &Value, limits: &Limits) -> Result<RegoVM, String> {
        let mut machine = RegoVM::new_with_policy(self.policy.clone());
        machine.load_program(Arc::clone(&self.program));
        machine
            .set_data(data.clone())
            .map_err(|error| error.to_string())?;
        machine.set_max_instructions(limits.instructions);
        machine.set_execution_timer_config(Some(ExecutionTimerConfig {
            limit: if self.builtin { TIME_BUILTIN } else { limits.time },
            check_interval: if self.builtin {
                CLOCK_INTERVAL
            } else {
                CLOCK_INTERVAL_CUSTOMER
            },
        }));
        Ok(machine)
    }
}

/// The reason why an entry point returned no value.
pub(crate) enum Stop {
    /// The evaluation failed.
    Failed(String),
    /// The evaluation exceeded a limit.
    LimitExceeded(String),
    /// The machine panicked and is in an unknown state.
    Panicked,
}

impl Stop {
    /// Returns the reason as a sentence.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Failed(reason) | Self::LimitExceeded(reason) => reason,
            Self::Panicked => text::ENGINE_PANICKED.to_owned(),
        }
    }
}

fn fits(text: &str, limits: &Limits) -> bool {
    let columns = usize::try_from(limits.columns).unwrap_or(usize::MAX);
    text.len() <= limits.file_bytes && text.lines().all(|line| line.chars().count() <= columns)
}

/// Runs `work` on a thread with a large stack and turns a panic into an error, so that no rule can end the process.
pub(crate) fn guarded<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("watchpost-rules-load".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || {
                catch_unwind(AssertUnwindSafe(work))
                    .unwrap_or_else(|_| Err(text::COMPILER_PANICKED.to_owned()))
            })
            .map_err(|error| text::no_loading_thread(&error))?
            .join()
            .unwrap_or_else(|_| Err(text::COMPILER_PANICKED.to_owned()))
    })
}

/// Returns the engine's message on one line, starting with the file and line. The engine's own format spans several
/// lines around a copy of the source.
fn explain(file: &str, message: &str) -> String {
    let mut place = None;
    let mut parts = Vec::new();
    for line in message.lines().map(str::trim) {
        if let Some(at) = line.strip_prefix("--> ") {
            place = Some(at.to_owned());
        } else if let Some(error) = line.strip_prefix("error: ") {
            parts.push(error.to_owned());
        } else if !line.is_empty()
            && !line.starts_with('|')
            && !line.starts_with(|c: char| c.is_ascii_digit())
        {
            parts.push(line.to_owned());
        }
    }
    let mut explanation = parts.join(" ");
    if explanation.is_empty() {
        message.clone_into(&mut explanation);
    }
    let clipped: String = explanation.chars().take(300).collect();
    format!("{}: {clipped}", place.unwrap_or_else(|| file.to_owned()))
}
