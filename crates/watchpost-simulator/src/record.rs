//! A record of the requests to the simulated APIs and of their answers, for tests that compare both with the vendors' own
//! descriptions.

/// A request and its answer as they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The prefix of the API's paths, for example `/graph`.
    pub api: &'static str,
    /// The method in capitals.
    pub method: String,
    /// The path below the API's prefix, percent-encoded, with a leading slash.
    pub path: String,
    /// The query as it was sent, without the question mark; empty if there is none.
    pub query: String,
    /// The request's headers with lower-case names, in the order in which they were sent. Without `authorization`.
    pub headers: Vec<(String, String)>,
    /// The request's body, which may be empty.
    pub body: Vec<u8>,
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer, with lower-case names. A name may occur several times.
    pub answer_headers: Vec<(String, String)>,
    /// The body of the answer, which may be empty.
    pub answer: Vec<u8>,
    /// Whether a fault replaced or changed the answer.
    pub faulty: bool,
}

impl Exchange {
    /// Returns the first request header with a lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// Returns the first header of the answer with a lower-case name.
    #[must_use]
    pub fn answer_header(&self, name: &str) -> Option<&str> {
        first(&self.answer_headers, name)
    }
}

fn first<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(found, _)| found == name)?;
    Some(&found.1)
}

/// Returns the headers that are recorded: all except credentials.
pub(crate) fn headers(headers: &hyper::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| *name != hyper::header::AUTHORIZATION)
        .map(|(name, value)| {
            let value = value.to_str().unwrap_or_default();
            (name.as_str().to_owned(), value.to_owned())
        })
        .collect()
}
