//! What fuzzers run, and the tests of this crate over checked-in input: not part of the API, and only there with
//! the feature `fuzzing`.
//!
//! A target takes any bytes and fails an assertion if something doesn't hold.

use crate::{
    config::SessionKey,
    environment::Random,
    gate::Binding,
    mcp::negotiation::{accepts, is_encoded, is_json, single},
    sessions::{
        http_sse::session_id,
        seal::{PAYLOAD_BYTES_MAX, Sealer},
        states::StateKeys,
    },
    streams::replay::EventId,
};
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE},
};
use std::{sync::OnceLock, time::Duration};

const NOW: u64 = 1_800_000_000;
const CONTENT: &[u8] = b"what a handshake settled";

/// Always the same bytes: an id to alter has to be the same each time.
struct Still;

impl Random for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

struct Ids {
    sealer: Sealer,
    ours: Binding,
    theirs: Binding,
    /// A session id that opens for `ours`.
    id: String,
}

fn ids() -> &'static Ids {
    static IDS: OnceLock<Ids> = OnceLock::new();
    IDS.get_or_init(|| {
        let sealer = Sealer::new(&SessionKey::new([7; 32]), Duration::from_secs(86_400));
        let ours = Binding::new(b"key-1").expect("it's short");
        let theirs = Binding::new(b"key-2").expect("it's short");
        let id = sealer.seal(CONTENT, &ours, NOW, &Still).expect("it's small");
        Ids {
            sealer,
            ours,
            theirs,
            id,
        }
    })
}

/// Ids of sessions, streams and events. The first byte says what the rest is: a session id, changes to one of ours,
/// something to seal, a query that names a stream, or a `Last-Event-ID`.
///
/// # Panics
/// If an id opens that isn't ours, or one of ours doesn't.
pub fn sse_ids(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    match first % 5 {
        0 => a_session_id(rest),
        1 => a_session_id(&changed(&ids().id, rest)),
        2 => a_payload(rest),
        3 => a_query(rest),
        _ => an_event(rest),
    }
}

fn an_event(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    if let Some(id) = EventId::parse(text) {
        let again = id.to_string();
        assert_eq!(EventId::parse(&again), Some(id));
        let (stream, sequence) = text.split_once('-').expect("it has two parts");
        let sequence = sequence.trim_start_matches('0');
        let sequence = if sequence.is_empty() { "0" } else { sequence };
        assert_eq!(
            again,
            format!("{stream}-{sequence}"),
            "no other id is the same event"
        );
    }
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    let [stream, sequence] = [bytes.first_chunk::<8>(), bytes.last_chunk::<8>()]
        .map(|half| half.map_or(0, |half| u64::from_le_bytes(*half)));
    // More events than any stream has room for have no names.
    let sequence = sequence % 10_000_000_000;
    let id = EventId { stream, sequence };
    assert_eq!(EventId::parse(&id.to_string()), Some(id));
}

fn a_session_id(text: &[u8]) {
    let ids = ids();
    let opened = ids.sealer.open(text, &ids.ours, NOW);
    assert_eq!(opened.is_some(), text == ids.id.as_bytes(), "only our id opens");
    assert!(ids.sealer.open(text, &ids.theirs, NOW).is_none());
}

/// Pairs of an offset and a byte: what they make of a good text.
fn changed(good: &str, pairs: &[u8]) -> Vec<u8> {
    let mut text = good.as_bytes().to_vec();
    for pair in pairs.chunks_exact(2) {
        let &[at, byte] = pair else { continue };
        match text.get_mut(usize::from(at)) {
            Some(there) => *there = byte,
            // Past the end: cut, or made longer.
            None if byte % 2 == 0 => text.truncate(usize::from(byte)),
            None => text.push(byte),
        }
    }
    text
}

fn a_payload(payload: &[u8]) {
    let ids = ids();
    let sealed = ids.sealer.seal(payload, &ids.ours, NOW, &Still);
    assert_eq!(sealed.is_some(), payload.len() <= PAYLOAD_BYTES_MAX);
    let Some(id) = sealed else { return };
    assert!(HeaderValue::from_str(&id).is_ok(), "an id can be sent");
    let opened = ids
        .sealer
        .open(id.as_bytes(), &ids.ours, NOW)
        .expect("ours opens");
    assert_eq!(opened.payload, payload);
    assert!(ids.sealer.open(id.as_bytes(), &ids.theirs, NOW).is_none());
    assert!(
        ids.sealer
            .open(id.as_bytes(), &ids.ours, opened.expires)
            .is_none(),
        "a day has passed"
    );
}

fn a_query(query: &[u8]) {
    let Ok(query) = std::str::from_utf8(query) else {
        return;
    };
    let named: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key == "session_id")
        .map(|(_, value)| value)
        .collect();
    let expected = match named.as_slice() {
        [one] if one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Some(one.to_ascii_lowercase())
        }
        _ => None,
    };
    let found =
        session_id(query).map(|name| name.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    assert_eq!(found, expected, "{query:?}");
}

/// States that travel through clients. The first byte says what the rest is: a token, changes to one of ours, or a
/// request and, after a line feed, something to seal for it.
///
/// # Panics
/// If a token opens that isn't ours, for somebody else or for another request, or one of ours doesn't.
pub fn request_state(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    match first % 3 {
        0 => a_token(&String::from_utf8_lossy(rest)),
        1 => a_token(&String::from_utf8_lossy(&changed(&tokens().good, rest))),
        _ => a_state(rest),
    }
}

struct Tokens {
    keys: StateKeys,
    /// Holds [`CONTENT`] for `b"request"` of `key-1`.
    good: String,
}

fn tokens() -> &'static Tokens {
    static TOKENS: OnceLock<Tokens> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let older = StateKeys::new([8; 32]);
        let good = older.seal(&ids().ours, b"request", CONTENT, NOW, &Still);
        Tokens {
            keys: StateKeys::new([9; 32]).and_older([8; 32]),
            good: good.expect("it's small"),
        }
    })
}

fn a_token(text: &str) {
    let (tokens, ids) = (tokens(), ids());
    let opened = tokens.keys.open(&ids.ours, b"request", text, NOW);
    let expected = (text == tokens.good).then_some(CONTENT);
    assert_eq!(opened.as_deref(), expected, "only ours opens");
    assert_eq!(tokens.keys.open(&ids.theirs, b"request", text, NOW), None);
    assert_eq!(tokens.keys.open(&ids.ours, b"reques", text, NOW), None);
}

fn a_state(bytes: &[u8]) {
    let (tokens, ids) = (tokens(), ids());
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let (request, state) = bytes.split_at(end);
    let sealed = tokens.keys.seal(&ids.ours, request, state, NOW, &Still);
    let token = sealed.expect("a fuzzer's input is small");
    assert!(
        !token
            .bytes()
            .any(|byte| byte == b'"' || byte == b'\\' || !byte.is_ascii_graphic())
    );
    let open = |whose: &Binding, request: &[u8], now: u64| tokens.keys.open(whose, request, &token, now);
    assert_eq!(open(&ids.ours, request, NOW).as_deref(), Some(state));
    assert_eq!(open(&ids.theirs, request, NOW), None);
    assert_eq!(
        open(&ids.ours, request, NOW + 600),
        None,
        "ten minutes have passed"
    );
    assert_eq!(open(&ids.ours, &[request, b"x"].concat(), NOW), None);
    assert_eq!(
        StateKeys::new([8; 32]).open(&ids.ours, request, &token, NOW),
        None,
        "another key"
    );
}

/// Lines of headers: `A` and a value of `Accept`, `C` of `Content-Type`, `E` of `Content-Encoding`.
///
/// # Panics
/// If what is read in them isn't there.
pub fn negotiation(input: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n').take(64) {
        let Some((kind, value)) = line.split_first() else {
            continue;
        };
        let name = match kind {
            b'A' => ACCEPT,
            b'C' => CONTENT_TYPE,
            b'E' => CONTENT_ENCODING,
            _ => continue,
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let takes = |headers: &HeaderMap| {
        (
            accepts(headers, "application", "json"),
            accepts(headers, "text", "event-stream"),
        )
    };
    let taken = takes(&headers);
    if headers.get_all(ACCEPT).iter().next().is_none() {
        assert_eq!(taken, (true, true), "who says nothing takes everything");
    }
    let readable: String = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .fold(String::new(), |all, value| all + "," + value)
        .to_ascii_lowercase();
    if headers.contains_key(ACCEPT) && taken.0 {
        let said = ["application/json", "application/*", "*/*"];
        assert!(said.iter().any(|range| readable.contains(range)), "{readable:?}");
    }
    if headers.contains_key(ACCEPT) && taken.1 {
        let said = ["text/event-stream", "text/*", "*/*"];
        assert!(said.iter().any(|range| readable.contains(range)), "{readable:?}");
    }
    let mut more = headers.clone();
    more.append(ACCEPT, HeaderValue::from_static("*/*"));
    assert_eq!(takes(&more), (true, true), "another value takes nothing away");

    let types: Vec<_> = headers.get_all(CONTENT_TYPE).iter().collect();
    assert_eq!(
        single(&headers, &CONTENT_TYPE).is_some(),
        types.len() == 1 && types.iter().all(|value| value.to_str().is_ok())
    );
    if is_json(&headers) {
        assert_eq!(types.len(), 1);
        let value = types
            .first()
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let media = value.trim().to_ascii_lowercase();
        let rest = media.strip_prefix("application/json").expect("it says so");
        assert!(rest.is_empty() || rest.trim_start().starts_with(';'), "{value:?}");
    }
    let plain = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    assert_eq!(is_encoded(&headers), !plain);
}

#[cfg(test)]
mod tests {
    use super::{a_session_id, a_token, ids, negotiation, request_state, sse_ids, tokens};
    use std::path::PathBuf;

    fn replay(target: fn(&[u8]), name: &str, at_least: usize) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../fuzz/corpus")
            .join(name);
        let mut count = 0;
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // The input that fails is the last one on the output.
            eprintln!("{}", path.display());
            target(&std::fs::read(&path).unwrap());
            count += 1;
        }
        assert!(count >= at_least, "{count} files for {name}");
    }

    #[test]
    fn ids_of_the_corpus_open_only_if_they_are_ours() {
        replay(sse_ids, "sse_ids", 20);
        a_session_id(ids().id.as_bytes());
    }

    #[test]
    fn states_of_the_corpus_open_only_if_they_are_ours() {
        replay(request_state, "request_state", 20);
        a_token(&tokens().good);
    }

    #[test]
    fn headers_of_the_corpus_are_read_as_they_should_be() {
        replay(negotiation, "negotiation", 20);
    }
}
