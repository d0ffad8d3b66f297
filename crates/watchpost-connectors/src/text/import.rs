//! Messages about imported files: why a file or a row could not be read.

/// The content of a file in an unknown format.
pub(crate) const HTML_OR_XML: &str = "the file is HTML or XML";
pub(crate) const PDF_OR_BINARY: &str = "the file is a PDF or in another binary format";
pub(crate) const OTHER_TEXT: &str = "the file is text, but neither a JSON list nor a JSON object";
pub(crate) const NOT_TEXT: &str =
    "the file is not text, or is text in an encoding other than UTF-8 and UTF-16 with a byte order mark";
pub(crate) const LIST_WITHOUT_OBJECTS: &str = "the file is a list without objects";

pub(crate) fn unknown_list(keys: &str) -> String {
    format!("the file is a list whose first object has {keys}")
}

pub(crate) fn unknown_object(keys: &str) -> String {
    format!("the file is an object with {keys}")
}

/// The keys of an object. `keys` are the listed ones, and `more` is the number of the others.
pub(crate) fn keys(keys: &[String], more: usize) -> String {
    if keys.is_empty() {
        return "no keys".to_owned();
    }
    let keys = keys.join(", ");
    match more {
        0 => format!("the keys {keys}"),
        more => format!("the keys {keys} and {more} more"),
    }
}

/// No file of an archive is a result file. `first` is the reason for the first one.
pub(crate) fn no_result_file(first: &str) -> String {
    format!("no file in the archive is a result file (the first one: {first})")
}

/// The advice for a SARIF file.
pub(crate) const INSTEAD_OF_SARIF: &str =
    "export the results as OCSF (Prowler: `-M json-ocsf`) and import that file";

/// The files of a folder exceed the limits on an archive.
pub(crate) const FOLDER_TOO_LARGE: &str =
    "its JSON files are too many or too large to import together; import them one by one";

/// A file in an archive whose data is part of another file's.
pub(crate) const REPEATED_FILE: &str = "the results in the same archive contain the same data";

/// The reasons why a row could not be read.
pub(crate) const NOT_AN_OBJECT: &str = "it is not an object";
pub(crate) const DUPLICATE_FIELD: &str = "it has the same field twice";
pub(crate) const UNEXPECTED_TYPES: &str = "it is not an object of the expected format";
pub(crate) const ROW_TRUNCATED: &str = "it ends too early";
pub(crate) const NO_CONTROL: &str = "it does not name its control";
pub(crate) const NO_CONTROL_ID: &str = "it has no control id";
pub(crate) const NO_CONTROLS: &str = "it is a group without controls";
pub(crate) const GROUP_UNREADABLE: &str =
    "it is a group of controls that is not an object, or that has the same field twice";
pub(crate) const RAW_UNREADABLE: &str =
    "the settings behind it (`Raw`) are not valid JSON; they are not imported";
pub(crate) const NO_TEST_ID: &str = "it has no test id";
pub(crate) const NO_POLICY_RESULT: &str =
    "it has no policy id, or does not say whether the requirement is met";
pub(crate) const NOT_A_FINDING: &str = "its `category_uid` is not 2 (findings)";
pub(crate) const UNKNOWN_CLASS: &str = "its `class_uid` is none of 2002, 2003, 2004, 2007";
pub(crate) const UNKNOWN_MAESTER_RESULT: &str =
    "its result is none of Passed, Failed, Skipped, Error, Investigate, NotRun";

pub(crate) const TOO_LARGE: &str = "it is larger than a row may be";
pub(crate) const TOO_DEEP: &str = "it nests lists and objects deeper than the supported tools do";

/// The damage in front of a row.
pub(crate) fn glued(byte: u64) -> String {
    format!(
        "it is glued to what precedes it, without a comma, at byte {byte}: the file consists of several lists; the rows of all are imported"
    )
}

pub(crate) fn comma(byte: u64) -> String {
    format!("a comma that separates nothing precedes it, at byte {byte}")
}

pub(crate) fn other_characters(byte: u64) -> String {
    format!("other characters than a comma precede it, at byte {byte}")
}

pub(crate) fn invalid_json(byte: usize) -> String {
    format!("it is not valid JSON at its byte {byte}")
}

pub(crate) fn file_ends_within(byte: u64) -> String {
    format!("the file ends within it, at byte {byte}")
}

/// The reason for an unreadable setting of a provider settings export.
pub(crate) fn command_failed(command: &str) -> String {
    format!("{command} failed")
}
