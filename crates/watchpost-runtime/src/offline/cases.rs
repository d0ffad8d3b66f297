//! Evaluation of many small exports, each a line of JSON for one policy.

use super::{CheckLine, INPUT_BYTES_MAX, Offline, OfflineError};
use crate::text;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};
use watchpost_connectors::import::scubagear::check_document;
use watchpost_core::check::{Framework, Profile};
use watchpost_policy::check::CheckJudge;

/// Maximum number of cases that a thread takes at a time.
const CHUNK: usize = 64;
/// Maximum number of threads.
const THREADS_MAX: usize = 8;

/// One case.
#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    id: Value,
    policy_id: String,
    #[serde(default)]
    input: Value,
}

/// Lines, and the position of their chunk in the input.
type Chunk<T> = (usize, Vec<T>);

impl Offline {
    /// Reads one case per line (`{"id","policy_id","input"}`) and writes one answer per line, in the same order:
    /// `{"id","check","scuba_ids","result","reason","details"}`. The result is `unsupported` if no check covers the
    /// policy, and `error` if the line is not a case. Answers are written as soon as possible, so that a caller can wait
    /// for one before it sends the next case. Stops without an error when the reader of `output` closes it.
    ///
    /// # Errors
    /// [`OfflineError`] if a read, a write or the start of a thread fails.
    pub fn evaluate_cases(
        &self,
        input: impl Read + Send,
        mut output: impl Write,
        profile: Profile,
        now_ms: i64,
    ) -> Result<(), OfflineError> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = threads.min(THREADS_MAX);
        let (to_workers, from_reader) = sync_channel::<Chunk<Vec<u8>>>(threads.saturating_mul(2));
        let from_reader = Arc::new(Mutex::new(from_reader));
        let (to_writer, from_workers) = sync_channel::<Chunk<String>>(threads.saturating_mul(2));
        std::thread::scope(|scope| {
            let reader = scope.spawn(move || read_chunks(input, &to_workers));
            for number in 0..threads {
                let (from_reader, to_writer) = (Arc::clone(&from_reader), to_writer.clone());
                std::thread::Builder::new()
                    .name(format!("watchpost-offline-{number}"))
                    .stack_size(CheckJudge::STACK_BYTES)
                    .spawn_scoped(scope, move || {
                        self.work(&from_reader, &to_writer, profile, now_ms);
                    })
                    .map_err(OfflineError::Thread)?;
            }
            // Now only the workers hold these ends of the channels, so the channels close when the workers end.
            drop((from_reader, to_writer));
            write_chunks(from_workers, &mut output)
                .map_err(|error| OfflineError::Input(text::unwritable(&error)))?;
            match reader.join() {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(OfflineError::Input(text::unreadable_input(&error))),
                Err(_) => Err(OfflineError::Input(text::READER_PANICKED.to_owned())),
            }
        })
    }

    /// Evaluates chunks until the reader has no more.
    fn work(
        &self,
        from_reader: &Mutex<Receiver<Chunk<Vec<u8>>>>,
        to_writer: &SyncSender<Chunk<String>>,
        profile: Profile,
        now_ms: i64,
    ) {
        let mut judge = CheckJudge::new(&self.pack);
        loop {
            let next = from_reader.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((number, lines)) = next else { return };
            let answers = lines
                .iter()
                .map(|line| self.answer(&mut judge, line, profile, now_ms).to_string())
                .collect();
            if to_writer.send((number, answers)).is_err() {
                return;
            }
        }
    }

    fn answer(&self, judge: &mut CheckJudge, line: &[u8], profile: Profile, now_ms: i64) -> Value {
        let rejected = |id: &Value, policies: &[&str], result: &str, details: &str| json!({"id": id, "check": null, "scuba_ids": policies, "result": result, "details": details});
        if line.len() > INPUT_BYTES_MAX {
            return rejected(&Value::Null, &[], "error", text::LINE_TOO_LONG);
        }
        let line = line.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(line);
        let case: Case = match serde_json::from_slice(line) {
            Ok(case) => case,
            Err(error) => {
                return rejected(&Value::Null, &[], "error", &text::invalid_case(&error));
            }
        };
        let policy = case.policy_id.as_str();
        let set = self.pack.checks();
        let found = self
            .find(policy)
            .and_then(|position| Some((position, set.checks().get(position)?)));
        let Some((position, check)) = found else {
            return rejected(&case.id, &[policy], "unsupported", text::UNSUPPORTED_POLICY);
        };
        let mut policies: Vec<String> = check.ids_in(Framework::Scuba).map(str::to_owned).collect();
        if policy != check.id && !policies.iter().any(|id| id == policy) {
            policies.insert(0, policy.to_owned());
        }
        let document = Arc::new(check_document(&case.input));
        let verdict = judge.judge(&document, &[position], profile, now_ms).pop();
        let Some(verdict) = verdict else {
            return rejected(&case.id, &[policy], "error", text::NO_VERDICT);
        };
        let line = CheckLine::new(check, policies, &verdict.outcome);
        let mut answer = json!({"id": case.id});
        if let (Value::Object(answer), Ok(Value::Object(rest))) = (&mut answer, serde_json::to_value(line)) {
            answer.extend(rest);
        }
        answer
    }
}

/// Reads lines in chunks of as many lines as have arrived, up to [`CHUNK`]. Skips blank lines.
fn read_chunks(input: impl Read, to_workers: &SyncSender<Chunk<Vec<u8>>>) -> io::Result<()> {
    let mut input = BufReader::with_capacity(256 * 1024, input);
    let bytes_max = u64::try_from(INPUT_BYTES_MAX).unwrap_or(u64::MAX);
    let mut number = 0_usize;
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = input
            .by_ref()
            .take(bytes_max.saturating_add(1))
            .read_until(b'\n', &mut line)?;
        if line.len() > INPUT_BYTES_MAX && line.last() != Some(&b'\n') {
            skip_line(&mut input)?;
        }
        if !line.trim_ascii().is_empty() {
            lines.push(line);
        }
        let waits = input.buffer().is_empty();
        if !lines.is_empty() && (read == 0 || waits || lines.len() >= CHUNK) {
            if to_workers.send((number, std::mem::take(&mut lines))).is_err() {
                return Ok(());
            }
            number = number.saturating_add(1);
        }
        if read == 0 {
            return Ok(());
        }
    }
}

/// Skips the rest of a line that is too long.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let seen = input.fill_buf()?;
        if seen.is_empty() {
            return Ok(());
        }
        let (used, ended) = match seen.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at.saturating_add(1), true),
            None => (seen.len(), false),
        };
        input.consume(used);
        if ended {
            return Ok(());
        }
    }
}

/// Writes chunks in the order of their numbers. Returns without an error if the reader closes the output.
fn write_chunks(from_workers: Receiver<Chunk<String>>, output: &mut impl Write) -> io::Result<()> {
    let mut early: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut next = 0_usize;
    for (number, answers) in from_workers {
        early.insert(number, answers);
        while let Some(answers) = early.remove(&next) {
            next = next.saturating_add(1);
            let text: String = answers.into_iter().map(|line| line + "\n").collect();
            match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                other => other?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn answers(input: &str) -> Vec<Value> {
        let mut out = Vec::new();
        Offline::load(None)
            .unwrap()
            .evaluate_cases(input.as_bytes(), &mut out, Profile::Scuba, 0)
            .unwrap();
        String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn case(id: usize, policy: &str, sharing: u8) -> String {
        json!({"id": id, "policy_id": policy, "input": {"SPO_tenant": [{"SharingCapability": sharing}]}})
            .to_string()
    }

    #[test]
    fn each_case_has_an_answer_in_the_same_order() {
        let mut input = String::new();
        for number in 0..300 {
            let sharing = if number % 2 == 0 { 0 } else { 2 };
            writeln!(input, "{}", case(number, "MS.SHAREPOINT.1.1v1", sharing)).unwrap();
        }
        let answers = answers(&input);
        assert_eq!(answers.len(), 300);
        for (number, answer) in answers.iter().enumerate() {
            let expected = if number % 2 == 0 { "passed" } else { "failed" };
            assert_eq!(answer["id"], number);
            assert_eq!(answer["check"], "spo.sharing_limited");
            assert_eq!(answer["scuba_ids"], json!(["MS.SHAREPOINT.1.1v1"]));
            assert_eq!(answer["result"], expected);
            assert!(answer.get("reason").is_none());
            assert!(answer["details"].as_str().is_some_and(|text| !text.is_empty()));
        }
    }

    #[test]
    fn invalid_and_unsupported_lines_have_an_answer() {
        let input = format!(
            "{}\n\nnot json\n{}\n{}\n{}",
            case(1, "MS.SHAREPOINT.1.1v7", 0),
            r#"{"id": "x", "policy_id": "MS.NONE.1.1v1", "input": {}}"#,
            r#"{"id": null, "policy_id": "MS.SHAREPOINT.1.1v1", "input": []}"#,
            r#"{"id": 5, "policy_id": "MS.POWERPLATFORM.4.1v1", "input": {}}"#,
        );
        let answers = answers(&input);
        let results: Vec<&Value> = answers.iter().map(|answer| &answer["result"]).collect();
        assert_eq!(results, ["passed", "error", "unsupported", "failed", "skipped"]);
        assert_eq!(answers[0]["scuba_ids"][0], "MS.SHAREPOINT.1.1v7");
        assert_eq!(answers[4]["reason"], "manual");
    }
}
