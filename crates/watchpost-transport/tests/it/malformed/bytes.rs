//! Cases that are invalid as bytes or as JSON, whatever they mean.

use super::corpus::Corpus;

/// A complete modern call. The cases below make parts of it invalid.
const CALL: &str = concat!(
    r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"h\u00e9 \"x\"","n":-1.5e2},"#,
    r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"#,
    r#""progressToken":"p"}}}"#
);

pub(super) fn add(corpus: &mut Corpus) {
    truncations(corpus);
    syntax(corpus);
    numbers(corpus);
    encodings(corpus);
    depths(corpus);
    duplicates(corpus);
}

fn truncations(corpus: &mut Corpus) {
    for end in 0..CALL.len() {
        corpus.body("truncated", &format!("at-{end:03}"), &CALL[..end]);
    }
}

/// Returns a call whose argument `a` is `value`.
fn argument(value: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"echo","arguments":{{"a":{value}}}}}}}"#
    )
}

fn syntax(corpus: &mut Corpus) {
    for (name, body) in [
        ("word", "nonsense"),
        ("open-brace", "{"),
        ("close-brace", "}"),
        ("open-bracket", "["),
        ("close-bracket", "]"),
        ("comma", ","),
        ("colon", ":"),
        ("quote", "\""),
        ("minus", "-"),
        (
            "cut-code-unit",
            r#"{"jsonrpc":"2.0","id":7,"method":"\ud83d\ude"}"#,
        ),
        ("key-alone", r#"{"id"}"#),
        ("key-and-colon", r#"{"id":}"#),
        ("no-colon", r#"{"jsonrpc" "2.0","id":7,"method":"ping"}"#),
        ("two-colons", r#"{"jsonrpc"::"2.0","id":7,"method":"ping"}"#),
        ("equals-sign", r#"{"jsonrpc"="2.0","id":7,"method":"ping"}"#),
        ("no-comma", r#"{"jsonrpc":"2.0" "id":7,"method":"ping"}"#),
        ("two-commas", r#"{"jsonrpc":"2.0",,"id":7,"method":"ping"}"#),
        ("leading-comma", r#"{,"jsonrpc":"2.0","id":7,"method":"ping"}"#),
        ("trailing-comma", r#"{"jsonrpc":"2.0","id":7,"method":"ping",}"#),
        ("semicolons", r#"{"jsonrpc":"2.0";"id":7;"method":"ping"}"#),
        ("single-quotes", "{'jsonrpc':'2.0','id':7,'method':'ping'}"),
        ("keys-without-quotes", r#"{jsonrpc:"2.0",id:7,method:"ping"}"#),
        ("number-as-key", r#"{"jsonrpc":"2.0","id":7,"method":"ping",1:2}"#),
        (
            "null-as-key",
            r#"{"jsonrpc":"2.0","id":7,"method":"ping",null:2}"#,
        ),
        (
            "block-comment",
            r#"{"jsonrpc":"2.0",/* hi */"id":7,"method":"ping"}"#,
        ),
        ("line-comment", r#"{"jsonrpc":"2.0","id":7,"method":"ping"}//"#),
        ("hash-comment", r#"{"jsonrpc":"2.0","id":7,"method":"ping"}#"#),
        ("wrong-bracket", r#"{"jsonrpc":"2.0","id":7,"method":"ping"]"#),
        ("brace-too-many", r#"{"jsonrpc":"2.0","id":7,"method":"ping"}}"#),
        ("object-before", r#"{}{"jsonrpc":"2.0","id":7,"method":"ping"}"#),
        ("object-after", r#"{"jsonrpc":"2.0","id":7,"method":"ping"}{}"#),
        (
            "two-with-comma",
            r#"{"jsonrpc":"2.0","id":7,"method":"ping"},{"jsonrpc":"2.0","id":8,"method":"ping"}"#,
        ),
        ("number-after", r#"{"jsonrpc":"2.0","id":7,"method":"ping"}0"#),
        (
            "script-call",
            r#"callback({"jsonrpc":"2.0","id":7,"method":"ping"});"#,
        ),
        (
            "anti-hijack-prefix",
            r#")]}',{"jsonrpc":"2.0","id":7,"method":"ping"}"#,
        ),
        ("event", r#"data: {"jsonrpc":"2.0","id":7,"method":"ping"}"#),
        ("form", "jsonrpc=2.0&id=7&method=ping"),
        ("markup", "<methodCall><methodName>ping</methodName></methodCall>"),
        ("yaml", "- jsonrpc: '2.0'"),
        ("packed", "\u{84}\u{a7}jsonrpc"),
        (
            "record-separator",
            "\u{1e}{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}",
        ),
        (
            "no-break-space-before",
            "\u{a0}{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}",
        ),
        (
            "form-feed-between",
            "{\"jsonrpc\":\"2.0\",\u{c}\"id\":7,\"method\":\"ping\"}",
        ),
        (
            "line-separator-between",
            "{\"jsonrpc\":\"2.0\",\u{2028}\"id\":7,\"method\":\"ping\"}",
        ),
        (
            "newline-in-a-string",
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"pi\nng\"}",
        ),
        (
            "newlines-between-broken-halves",
            "{\"jsonrpc\":\"2.0\",\n\"id\":7,\n\"method\":}",
        ),
    ] {
        corpus.body("syntax", name, body);
    }
    for (name, value) in [
        ("capital-true", "True"),
        ("capital-null", "NULL"),
        ("none", "None"),
        ("undefined", "undefined"),
        ("cut-null", "nul"),
        ("long-true", "truee"),
        ("cut-false", "fals"),
        ("array-comma", "[1,]"),
        ("array-leading-comma", "[,1]"),
        ("array-no-comma", "[1 2]"),
        ("array-colon", "[1:2]"),
        ("array-unclosed", "[1"),
        ("array-brace", "[1}"),
        ("object-comma", r#"{"b":1,}"#),
        ("object-unclosed", r#"{"b":1"#),
        ("unclosed-string", r#""text"#),
        ("escape-x", r#""\x41""#),
        ("escape-zero", r#""\0""#),
        ("escape-quote", r#""\'""#),
        ("escape-capital-u", r#""\U0041""#),
        ("escape-u-short", r#""\u12""#),
        ("escape-u-word", r#""\uZZZZ""#),
        ("escape-u-brace", r#""\u{41}""#),
        ("escape-u-sign", r#""\u+041""#),
        ("escape-u-space", r#""\u 041""#),
        ("escape-at-the-end", r#""\"#),
        ("tab-in-a-string", "\"a\tb\""),
        ("escape-character-in-a-string", "\"a\u{1b}b\""),
        ("return-in-a-string", "\"a\rb\""),
        ("backtick", "`text`"),
    ] {
        corpus.body("syntax", &format!("value-{name}"), argument(value));
    }
}

/// Texts that aren't numbers in JSON's grammar.
const INVALID_NUMBERS: [(&str, &str); 20] = [
    ("leading-zero", "01"),
    ("leading-zeros", "-007"),
    ("plus", "+1"),
    ("point-at-the-end", "1."),
    ("point-at-the-start", ".5"),
    ("two-points", "1.2.3"),
    ("empty-exponent", "1e"),
    ("signed-empty-exponent", "1e+"),
    ("point-in-the-exponent", "1e1.5"),
    ("two-exponents", "1e1e1"),
    ("two-signs", "--1"),
    ("sign-alone", "-"),
    ("sign-after", "1-"),
    ("hexadecimal", "0x10"),
    ("octal", "0o17"),
    ("underscore", "1_000"),
    ("not-a-number", "NaN"),
    ("infinity", "Infinity"),
    ("minus-infinity", "-Infinity"),
    ("suffix", "10n"),
];

fn numbers(corpus: &mut Corpus) {
    for (name, value) in INVALID_NUMBERS {
        corpus.body("syntax", &format!("number-{name}"), argument(value));
        let id = format!(r#"{{"jsonrpc":"2.0","id":{value},"method":"ping"}}"#);
        corpus.body("syntax", &format!("id-number-{name}"), id);
    }
}

const PING: &[u8] = br#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn encodings(corpus: &mut Corpus) {
    let forms: [(&str, &[u8]); 12] = [
        ("ff", b"\xff"),
        ("fe", b"\xfe"),
        ("continuation-alone", b"\x80"),
        ("two-continuations", b"\xbf\xbf"),
        ("overlong-nul", b"\xc0\x80"),
        ("overlong-slash", b"\xc1\xaf"),
        ("overlong-of-three", b"\xe0\x80\xaf"),
        ("overlong-of-four", b"\xf0\x80\x80\xaf"),
        ("past-the-last", b"\xf4\x90\x80\x80"),
        ("cut-two", b"\xc3"),
        ("cut-three", b"\xe2\x82"),
        ("cut-four", b"\xf0\x9f\x98"),
    ];
    for (form, bytes) in forms {
        let call: &[u8] =
            br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"a":""#;
        let in_value = joined(&[call, bytes, br#""}}}"#]);
        corpus.body("encoding", &format!("{form}-in-a-value"), in_value);
        let in_key = joined(&[br#"{"jsonrpc":"2.0","id":7,"method":"ping",""#, bytes, br#"":1}"#]);
        corpus.body("encoding", &format!("{form}-in-a-key"), in_key);
        let in_method = joined(&[br#"{"jsonrpc":"2.0","id":7,"method":"ping"#, bytes, br#""}"#]);
        corpus.body("encoding", &format!("{form}-in-the-method"), in_method);
        corpus.body("encoding", &format!("{form}-after"), joined(&[PING, bytes]));
    }
    let text = String::from_utf8(PING.to_vec()).unwrap();
    let mark = format!("\u{feff}{text}");
    for (name, body) in [
        ("two-marks", format!("\u{feff}{mark}").into_bytes()),
        ("mark-after-a-space", format!(" {mark}").into_bytes()),
        ("mark-after", format!("{text}\u{feff}").into_bytes()),
        ("mark-between", text.replace(':', ":\u{feff}").into_bytes()),
        (
            "utf-16-little",
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "utf-16-big",
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
        (
            "utf-16-little-with-mark",
            mark.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "utf-16-big-with-mark",
            mark.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
        (
            "utf-32",
            text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
        ),
    ] {
        corpus.body("encoding", name, body);
    }
    for (name, body) in [
        ("alone", b"\0".to_vec()),
        ("many", vec![0; 64]),
        ("before", joined(&[b"\0", PING])),
        ("after", joined(&[PING, b"\0"])),
        ("between", text.replace(',', ",\0").into_bytes()),
        ("in-a-number", text.replace('7', "7\0").into_bytes()),
        ("in-a-key", text.replace("method", "met\0hod").into_bytes()),
        ("in-a-value", text.replace("ping", "pi\0ng").into_bytes()),
        (
            "at-the-end-of-a-value",
            text.replace("ping", "ping\0").into_bytes(),
        ),
    ] {
        corpus.body("nul", name, body);
    }
}

fn depths(corpus: &mut Corpus) {
    for levels in [65_usize, 100, 128, 129, 512, 2_000] {
        let arrays = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let objects = format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        if levels >= 100 {
            corpus.body("depth", &format!("arrays-alone-{levels}"), &arrays);
        }
        corpus.body("depth", &format!("arrays-unclosed-{levels}"), "[".repeat(levels));
        if objects.len() <= 8_000 {
            corpus.body("depth", &format!("objects-alone-{levels}"), &objects);
            corpus.body(
                "depth",
                &format!("objects-in-arguments-{levels}"),
                argument(&objects),
            );
        }
        corpus.body(
            "depth",
            &format!("arrays-in-arguments-{levels}"),
            argument(&arrays),
        );
        corpus.body(
            "depth",
            &format!("arrays-as-id-{levels}"),
            format!(r#"{{"jsonrpc":"2.0","id":{arrays},"method":"ping"}}"#),
        );
        corpus.body(
            "depth",
            &format!("arrays-as-params-{levels}"),
            format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{arrays}}}"#),
        );
        corpus.body(
            "depth",
            &format!("arrays-before-the-id-{levels}"),
            format!(r#"{{"jsonrpc":"2.0","x":{arrays},"id":7,"method":"ping"}}"#),
        );
    }
    let mixed = format!("{}1{}", r#"[{"a":"#.repeat(50), "}]".repeat(50));
    corpus.body("depth", "mixed-in-arguments", argument(&mixed));
}

fn duplicates(corpus: &mut Corpus) {
    let many: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{n}")).collect();
    let many = many.join(",");
    for (name, body) in [
        ("id", r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#.to_owned()),
        ("id-same-value", r#"{"jsonrpc":"2.0","id":7,"id":7,"method":"ping"}"#.into()),
        ("id-and-null", r#"{"jsonrpc":"2.0","id":7,"id":null,"method":"ping"}"#.into()),
        ("id-escaped", r#"{"jsonrpc":"2.0","id":7,"\u0069d":8,"method":"ping"}"#.into()),
        ("method", r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/list"}"#.into()),
        ("method-escaped", r#"{"jsonrpc":"2.0","id":7,"method":"ping","m\u0065thod":"ping"}"#.into()),
        ("version", r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":7,"method":"ping"}"#.into()),
        ("params", r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{},"params":{}}"#.into()),
        ("unknown-member", r#"{"jsonrpc":"2.0","id":7,"method":"ping","x":1,"x":1}"#.into()),
        ("empty-key", r#"{"jsonrpc":"2.0","id":7,"method":"ping","":1,"":1}"#.into()),
        (
            "tool-name",
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","name":"panic"}}"#.into(),
        ),
        (
            "arguments",
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{},"arguments":{}}}"#.into(),
        ),
        (
            "meta",
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","_meta":{},"_meta":{}}}"#.into(),
        ),
        (
            "envelope",
            concat!(
                r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"_meta":{"#,
                r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/protocolVersion":"2025-11-25","#,
                r#""io.modelcontextprotocol/clientCapabilities":{}}}}"#
            )
            .into(),
        ),
        ("argument", argument(r#"1,"a":2"#)),
        ("deep-argument", argument(r#"[[{"b":{"c":1,"c":2}}]]"#)),
        ("escaped-argument", argument(r#"1,"\u0061":2"#)),
        ("after-many", argument(&format!("1,{many},\"k0\":1"))),
        ("after-many-escaped", argument(&format!("1,{many},\"k\\u0039\":1"))),
        ("last-of-many", argument(&format!("1,{many},\"k39\":1"))),
        ("after-an-inner-object", argument(r#"{"b":1},"a":2"#)),
    ] {
        corpus.body("duplicate", name, body);
    }
}
