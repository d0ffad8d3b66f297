//! The fuzz targets of this crate. Its tests run them over the checked-in corpus. Not part of the API;
//! available only with the feature `fuzzing`.
//!
//! A target accepts any bytes and fails an assertion if a property doesn't hold.

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
const CONTENT: &[u8] = b"the result of a handshake";

/// Always yields the same bytes, so that the session id that the targets alter is reproducible.
struct FixedRandom;

impl Random for FixedRandom {
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
        let id = sealer
            .seal(CONTENT, &ours, NOW, &FixedRandom)
            .expect("it's small");
        Ids {
            sealer,
            ours,
            theirs,
            id,
        }
    })
}

/// Tests ids of sessions, streams and events. The first byte selects the meaning of the rest: a session id,
/// changes to a valid one, a payload to seal, a query with a stream name, or a `Last-Event-ID`.
///
/// # Panics
/// Panics if an id opens that this server didn't issue, or if one that it issued doesn't.
pub fn sse_ids(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    match first % 5 {
        0 => check_session_id(rest),
        1 => check_session_id(&altered(&ids().id, rest)),
        2 => check_payload(rest),
        3 => check_query(rest),
        _ => check_event_id(rest),
    }
}

fn check_event_id(text: &[u8]) {
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
            "each event has only one id"
        );
    }
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    let [stream, sequence] = [bytes.first_chunk::<8>(), bytes.last_chunk::<8>()]
        .map(|half| half.map_or(0, |half| u64::from_le_bytes(*half)));
    // Sequence numbers with more digits than any stream needs have no valid id.
    let sequence = sequence % 10_000_000_000;
    let id = EventId { stream, sequence };
    assert_eq!(EventId::parse(&id.to_string()), Some(id));
}

fn check_session_id(text: &[u8]) {
    let ids = ids();
    let opened = ids.sealer.open(text, &ids.ours, NOW);
    assert_eq!(
        opened.is_some(),
        text == ids.id.as_bytes(),
        "only the issued id opens"
    );
    assert!(ids.sealer.open(text, &ids.theirs, NOW).is_none());
}

/// Returns `good` with some bytes replaced. The input consists of pairs of an offset and a byte.
fn altered(good: &str, pairs: &[u8]) -> Vec<u8> {
    let mut text = good.as_bytes().to_vec();
    for pair in pairs.chunks_exact(2) {
        let &[at, byte] = pair else { continue };
        match text.get_mut(usize::from(at)) {
            Some(there) => *there = byte,
            // An offset past the end: cut or extend the text.
            None if byte % 2 == 0 => text.truncate(usize::from(byte)),
            None => text.push(byte),
        }
    }
    text
}

fn check_payload(payload: &[u8]) {
    let ids = ids();
    let sealed = ids.sealer.seal(payload, &ids.ours, NOW, &FixedRandom);
    assert_eq!(sealed.is_some(), payload.len() <= PAYLOAD_BYTES_MAX);
    let Some(id) = sealed else { return };
    assert!(
        HeaderValue::from_str(&id).is_ok(),
        "an id is a valid header value"
    );
    let opened = ids
        .sealer
        .open(id.as_bytes(), &ids.ours, NOW)
        .expect("an issued id opens");
    assert_eq!(opened.payload, payload);
    assert!(ids.sealer.open(id.as_bytes(), &ids.theirs, NOW).is_none());
    assert!(
        ids.sealer
            .open(id.as_bytes(), &ids.ours, opened.expires)
            .is_none(),
        "the id has expired"
    );
}

fn check_query(query: &[u8]) {
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

/// Tests states that travel through clients. The first byte selects the meaning of the rest: a token, changes
/// to a valid one, or a request and, after a line feed, a state to seal for it.
///
/// # Panics
/// Panics if a token opens that this server didn't issue, or for another caller or request, or if an issued one
/// doesn't open.
pub fn request_state(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    match first % 3 {
        0 => check_token(&String::from_utf8_lossy(rest)),
        1 => check_token(&String::from_utf8_lossy(&altered(&tokens().good, rest))),
        _ => check_state(rest),
    }
}

struct Tokens {
    keys: StateKeys,
    /// A token that holds [`CONTENT`] for `b"request"` of `key-1`.
    good: String,
}

fn tokens() -> &'static Tokens {
    static TOKENS: OnceLock<Tokens> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let older = StateKeys::new([8; 32]);
        let good = older.seal(&ids().ours, b"request", CONTENT, NOW, &FixedRandom);
        Tokens {
            keys: StateKeys::new([9; 32]).with_older_key([8; 32]),
            good: good.expect("it's small"),
        }
    })
}

fn check_token(text: &str) {
    let (tokens, ids) = (tokens(), ids());
    let opened = tokens.keys.open(&ids.ours, b"request", text, NOW);
    let expected = (text == tokens.good).then_some(CONTENT);
    assert_eq!(opened.as_deref(), expected, "only the issued token opens");
    assert_eq!(tokens.keys.open(&ids.theirs, b"request", text, NOW), None);
    assert_eq!(tokens.keys.open(&ids.ours, b"reques", text, NOW), None);
}

fn check_state(bytes: &[u8]) {
    let (tokens, ids) = (tokens(), ids());
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let (request, state) = bytes.split_at(end);
    let sealed = tokens.keys.seal(&ids.ours, request, state, NOW, &FixedRandom);
    let token = sealed.expect("a fuzzer's input is small");
    assert!(
        !token
            .bytes()
            .any(|byte| byte == b'"' || byte == b'\\' || !byte.is_ascii_graphic())
    );
    let open = |binding: &Binding, request: &[u8], now: u64| tokens.keys.open(binding, request, &token, now);
    assert_eq!(open(&ids.ours, request, NOW).as_deref(), Some(state));
    assert_eq!(open(&ids.theirs, request, NOW), None);
    assert_eq!(open(&ids.ours, request, NOW + 600), None, "the token has expired");
    assert_eq!(open(&ids.ours, &[request, b"x"].concat(), NOW), None);
    assert_eq!(
        StateKeys::new([8; 32]).open(&ids.ours, request, &token, NOW),
        None,
        "a token of another key doesn't open"
    );
}

/// Tests the reading of headers. Each line is `A` and a value of `Accept`, `C` and one of `Content-Type`, or
/// `E` and one of `Content-Encoding`.
///
/// # Panics
/// Panics if the result doesn't follow from the headers.
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
    let accepted = |headers: &HeaderMap| {
        (
            accepts(headers, "application", "json"),
            accepts(headers, "text", "event-stream"),
        )
    };
    let found = accepted(&headers);
    if headers.get_all(ACCEPT).iter().next().is_none() {
        assert_eq!(found, (true, true), "a missing Accept header accepts everything");
    }
    let readable: String = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .fold(String::new(), |all, value| all + "," + value)
        .to_ascii_lowercase();
    let lists_one_of = |ranges: [&str; 3]| ranges.iter().any(|range| readable.contains(range));
    if headers.contains_key(ACCEPT) {
        assert!(
            !found.0 || lists_one_of(["application/json", "application/*", "*/*"]),
            "{readable:?}"
        );
        assert!(
            !found.1 || lists_one_of(["text/event-stream", "text/*", "*/*"]),
            "{readable:?}"
        );
    }

    let mut more = headers.clone();
    more.append(ACCEPT, HeaderValue::from_static("*/*"));
    assert_eq!(
        accepted(&more),
        (true, true),
        "an additional `*/*` accepts everything"
    );

    check_content_headers(&headers);
}

fn check_content_headers(headers: &HeaderMap) {
    let types: Vec<_> = headers.get_all(CONTENT_TYPE).iter().collect();
    assert_eq!(
        single(headers, &CONTENT_TYPE).is_some(),
        types.len() == 1 && types.iter().all(|value| value.to_str().is_ok())
    );
    if is_json(headers) {
        assert_eq!(types.len(), 1);
        let value = types
            .first()
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let media = value.trim().to_ascii_lowercase();
        let rest = media
            .strip_prefix("application/json")
            .expect("the media type is JSON");
        assert!(rest.is_empty() || rest.trim_start().starts_with(';'), "{value:?}");
    }
    let plain = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    assert_eq!(is_encoded(headers), !plain);
}

#[cfg(test)]
mod tests {
    use super::{check_session_id, check_token, ids, negotiation, request_state, sse_ids, tokens};
    use std::path::PathBuf;

    fn replay(target: fn(&[u8]), name: &str, at_least: usize) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../fuzz/corpus")
            .join(name);
        let mut count = 0;
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // If the target panics, the last path printed is that of the failing input.
            eprintln!("{}", path.display());
            target(&std::fs::read(&path).unwrap());
            count += 1;
        }
        assert!(count >= at_least, "{count} files for {name}");
    }

    #[test]
    fn only_issued_ids_of_the_corpus_open() {
        replay(sse_ids, "sse_ids", 20);
        check_session_id(ids().id.as_bytes());
    }

    #[test]
    fn only_issued_states_of_the_corpus_open() {
        replay(request_state, "request_state", 20);
        check_token(&tokens().good);
    }

    #[test]
    fn headers_of_the_corpus_are_read_correctly() {
        replay(negotiation, "negotiation", 20);
    }
}
