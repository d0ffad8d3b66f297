//! Lists as files: all rows that the filters select, as CSV or JSON, streamed page by page. One audit entry, stored before
//! the first row is sent, covers all of them.

use crate::{
    answer::{JSON, Reply},
    context::{Call, Context},
    declaration::Declaration,
    failure::Failure,
    fields::Fields,
    serve::{entry, permit},
    text,
};
use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body::Frame;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};
use watchpost_core::{
    access::WorkspaceScope,
    audit::{AuditOutcome, AuditTarget, Reduced},
    error::Error,
    service::{Exporting, Unrecorded, Watchpost},
    value::text::csv_cell,
};

/// The audit action of an export.
const EXPORTED: &str = "api.exported";
/// The number of rows that are read at a time.
pub(crate) const PAGE: usize = 200;

pub(crate) const CSV: &str = "text/csv; charset=utf-8";

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
}

impl Format {
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => CSV,
            Self::Json => JSON,
        }
    }
    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// A list that can be read as a file. A value of the type is the position of a running export.
pub(crate) trait Export: Sized + Send + 'static {
    /// The name of the file, and of the list in JSON.
    const NAME: &'static str;
    /// The operation for CSV.
    const CSV: Declaration;
    /// The operation for JSON.
    const JSON: Declaration;
    /// The columns of CSV.
    const COLUMNS: &'static [&'static str];
    /// The parameters of the list. The file has those that select rows.
    type Input: Fields;
    /// A row.
    type Row: Send;

    /// Returns the beginning of the list.
    fn begin(context: &Context<'_>, input: Self::Input)
    -> impl Future<Output = Result<Self, Failure>> + Send;
    /// Returns the next rows. There are no more after an empty page.
    fn next(&mut self, source: &ExportSource) -> impl Future<Output = Result<Vec<Self::Row>, Error>> + Send;
    /// Writes a row as the list does.
    fn json(row: &Self::Row) -> Result<Vec<u8>, serde_json::Error>;
    /// Returns the cells of a row.
    fn cells(row: &Self::Row) -> Vec<String>;
}

/// The source of a running export.
pub(crate) struct ExportSource {
    pub(crate) watchpost: Watchpost,
    pub(crate) scope: Arc<WorkspaceScope>,
    exporting: Exporting,
}

impl ExportSource {
    /// Opens a page.
    pub(crate) fn open<T>(&self, page: Unrecorded<T>) -> T {
        self.exporting.open(page)
    }
}

/// Serves a list as a file.
pub(crate) async fn export<E: Export>(call: Call<'_>, format: Format) -> Reply {
    let declaration = match format {
        Format::Csv => &E::CSV,
        Format::Json => &E::JSON,
    };
    let web = call.web;
    let parsed = call
        .request
        .source(declaration.method)
        .and_then(|source| source.read_selection::<E::Input>());
    let mut reduced = Reduced::new(&web.audit_key);
    if let Ok(input) = &parsed {
        input.reduce_selection(&mut reduced);
    }
    let begun = Unrecorded::gather(async |reader| {
        permit(call.scope, declaration)?;
        let context = Context::new(call, reader, declaration.name, &reduced, "");
        E::begin(&context, parsed?).await
    })
    .await
    .map(|begun| begun.map_err(|failure| web.logged(declaration, failure)));
    let describe = |begun: &Result<E, Failure>| {
        let (target, outcome) = match begun {
            Ok(_) => (AuditTarget::default(), AuditOutcome::Ok),
            Err(failure) => (AuditTarget::clone(&failure.target), failure.outcome),
        };
        entry(EXPORTED, declaration, &reduced, target, outcome)
    };
    let recorded = web.watchpost.record_export(call.scope, begun, describe).await;
    let (begun, exporting) = match recorded {
        Ok(recorded) => recorded,
        Err(error) => return web.refuse(declaration, &web.unrecorded(declaration, &error), false),
    };
    let list = match begun {
        Ok(list) => list,
        Err(failure) => return web.refuse(declaration, &failure, false),
    };
    let running = Box::new(Running {
        list,
        source: ExportSource {
            watchpost: web.watchpost.clone(),
            scope: Arc::clone(call.scope),
            exporting,
        },
        format,
        name: declaration.name,
        stage: Stage::Begin,
    });
    // The first piece is read here, so that an outage is an error and not a file without an end.
    match running.step().await {
        Step::Piece(first, rest) => {
            let mut reply = Reply::new(
                StatusCode::OK,
                format.media_type(),
                Body::new(File {
                    first: Some(first),
                    step: Some(Box::pin(rest.step())),
                }),
            );
            reply.file = Some(format!("{}.{}", E::NAME, format.extension()));
            reply
        }
        Step::Failed(error) => {
            let failure = web.logged(declaration, Failure::from(error));
            web.refuse(declaration, &failure, false)
        }
        Step::End => Reply::new(StatusCode::OK, format.media_type(), Body::empty()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has been written.
    Begin,
    /// The beginning has been written, and whether a row has.
    Rows { any: bool },
    /// The end has been written.
    End,
}

/// A running export.
struct Running<E: Export> {
    list: E,
    source: ExportSource,
    format: Format,
    /// The name of the operation, for the log.
    name: &'static str,
    stage: Stage,
}

enum Step<E: Export> {
    Piece(Bytes, Box<Running<E>>),
    Failed(Error),
    End,
}

impl<E: Export> Running<E> {
    /// Returns the next piece of the file.
    async fn step(mut self: Box<Self>) -> Step<E> {
        let mut any = match self.stage {
            Stage::End => return Step::End,
            Stage::Begin => false,
            Stage::Rows { any } => any,
        };
        let mut piece = String::new();
        if self.stage == Stage::Begin {
            match self.format {
                Format::Csv => line(&mut piece, E::COLUMNS),
                Format::Json => piece.push_str(&format!("{{\"{}\":[", E::NAME)),
            }
        }
        let rows = match self.list.next(&self.source).await {
            Ok(rows) => rows,
            Err(error) if self.stage == Stage::Begin => return Step::Failed(error),
            Err(error) => {
                tracing::error!(operation = self.name, %error, "an export ended before its last row");
                self.stage = Stage::End;
                // JSON without its end is recognized as incomplete; a table is not.
                if self.format == Format::Csv {
                    line(&mut piece, &[text::EXPORT_INCOMPLETE]);
                }
                return Step::Piece(piece.into(), self);
            }
        };
        for row in &rows {
            match self.format {
                Format::Csv => {
                    let cells = E::cells(row);
                    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
                    line(&mut piece, &cells);
                }
                Format::Json => {
                    piece.push_str(if any { ",\n" } else { "\n" });
                    let row = E::json(row).unwrap_or_default();
                    piece.push_str(&String::from_utf8_lossy(&row));
                }
            }
            any = true;
        }
        self.stage = if rows.is_empty() {
            if self.format == Format::Json {
                piece.push_str("\n]}\n");
            }
            Stage::End
        } else {
            Stage::Rows { any }
        };
        if piece.is_empty() {
            return Step::End;
        }
        Step::Piece(piece.into(), self)
    }
}

fn line(out: &mut String, cells: &[&str]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&csv_cell(cell));
    }
    out.push_str("\r\n");
}

/// The future of the next piece.
type Stepping<E> = Pin<Box<dyn Future<Output = Step<E>> + Send>>;

/// The body of a file.
struct File<E: Export> {
    /// The piece that was read before the reply.
    first: Option<Bytes>,
    step: Option<Stepping<E>>,
}

impl<E: Export> http_body::Body for File<E> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(step) = &mut self.step else {
            return Poll::Ready(None);
        };
        let stepped = ready!(step.as_mut().poll(cx));
        Poll::Ready(match stepped {
            Step::Piece(piece, rest) => {
                self.step = Some(Box::pin(rest.step()));
                Some(Ok(Frame::data(piece)))
            }
            Step::Failed(_) | Step::End => {
                self.step = None;
                None
            }
        })
    }
}
