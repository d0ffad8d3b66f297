//! What fuzzers run, and the tests of this crate over checked-in input: not part of the API, and only there with
//! the feature `fuzzing`.
//!
//! A target takes any bytes and fails an assertion if something doesn't hold.

use std::sync::OnceLock;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use crate::config::SessionKey;
use crate::environment::Random;
use crate::gate::Binding;
use crate::http::negotiation::{accepts, is_encoded, is_json, single};
use crate::http::old_stream::session_id;
use crate::sessions::seal::{PAYLOAD_BYTES_MAX, Sealer};

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

/// Ids of sessions and streams. The first byte says what the rest is: a session id, changes to one of ours,
/// something to seal, or a query that names a stream.
///
/// # Panics
/// If an id opens that isn't ours, or one of ours doesn't.
pub fn sse_ids(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    match first % 4 {
        0 => a_session_id(rest),
        1 => changes(rest),
        2 => a_payload(rest),
        _ => a_query(rest),
    }
}

fn a_session_id(text: &[u8]) {
    let ids = ids();
    let opened = ids.sealer.open(text, &ids.ours, NOW);
    assert_eq!(opened.is_some(), text == ids.id.as_bytes(), "only our id opens");
    assert!(ids.sealer.open(text, &ids.theirs, NOW).is_none());
}

/// Pairs of a place and a byte: what they make of a good id.
fn changes(pairs: &[u8]) {
    let ids = ids();
    let mut id = ids.id.clone().into_bytes();
    for pair in pairs.chunks_exact(2) {
        let &[at, byte] = pair else { continue };
        match id.get_mut(usize::from(at)) {
            Some(place) => *place = byte,
            // Past the end: cut, or made longer.
            None if byte % 2 == 0 => id.truncate(usize::from(byte)),
            None => id.push(byte),
        }
    }
    a_session_id(&id);
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
    use std::path::PathBuf;

    use super::{a_session_id, ids, negotiation, sse_ids};

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
    fn headers_of_the_corpus_are_read_as_they_should_be() {
        replay(negotiation, "negotiation", 20);
    }
}
