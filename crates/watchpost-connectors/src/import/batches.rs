//! The batches of a file while it is read: their counts and limits, on the way to the sink.

use watchpost_core::{
    check::{Check, CheckDocument},
    import::{
        ImportBatchHeader, ImportCounts, ImportError, ImportLimits, ImportSink, ImportedBatch, ImportedRow,
        RowError,
    },
};

/// What readers of formats hand their rows to.
pub(super) struct Batches<'s> {
    sink: &'s mut dyn ImportSink,
    /// The catalogue, for aliases.
    pub(super) checks: &'s [Check],
    /// What is allowed.
    pub(super) limits: ImportLimits,
    all: Vec<ImportedBatch>,
    /// Where the batches of the file of an archive begin that is read now.
    own_from: usize,
    /// Rows that couldn't be read before a batch began.
    early: ImportCounts,
    rows: u64,
}

impl<'s> Batches<'s> {
    pub(super) fn new(sink: &'s mut dyn ImportSink, checks: &'s [Check], limits: ImportLimits) -> Self {
        Self {
            sink,
            checks,
            limits,
            all: Vec::new(),
            own_from: 0,
            early: ImportCounts::default(),
            rows: 0,
        }
    }

    /// The batch of a head: one that began in the same file for the same tool and tenant, or a new one.
    pub(super) fn batch(&mut self, header: ImportBatchHeader) -> Result<usize, ImportError> {
        let same = |batch: &ImportedBatch| {
            batch.header.tool == header.tool
                && batch.header.tenant_key == header.tenant_key
                && batch.header.format == header.format
        };
        // The last one first: rows of a tenant lie together.
        let found = self
            .all
            .iter()
            .enumerate()
            .skip(self.own_from)
            .rev()
            .find(|(_, one)| same(one));
        if let Some((at, _)) = found {
            return Ok(at);
        }
        if self.all.len() >= self.limits.batches {
            return Err(ImportError::TooManyTenants {
                limit: self.limits.batches,
            });
        }
        let at = self.all.len();
        self.sink.begin_batch(at, &header)?;
        self.all.push(ImportedBatch {
            header,
            counts: std::mem::take(&mut self.early),
            settings: 0,
        });
        Ok(at)
    }

    /// A batch's head.
    pub(super) fn header(&self, batch: usize) -> Option<&ImportBatchHeader> {
        self.all.get(batch).map(|one| &one.header)
    }

    fn count(&mut self, batch: Option<usize>) -> Result<&mut ImportCounts, ImportError> {
        self.rows = self.rows.saturating_add(1);
        if self.rows > self.limits.rows {
            return Err(ImportError::TooManyRows {
                limit: self.limits.rows,
            });
        }
        let counts = batch
            .and_then(|batch| self.all.get_mut(batch))
            .map_or(&mut self.early, |one| &mut one.counts);
        counts.rows = counts.rows.saturating_add(1);
        Ok(counts)
    }

    /// A row of a batch.
    pub(super) fn row(&mut self, batch: usize, row: ImportedRow) -> Result<(), ImportError> {
        let counts = self.count(Some(batch))?;
        counts.rows_ok = counts.rows_ok.saturating_add(1);
        self.sink.row(batch, row)
    }

    /// A row that couldn't be read: of a batch, or of the file's first one if it can't be told which.
    pub(super) fn bad_row(
        &mut self,
        batch: Option<usize>,
        index: u64,
        reason: String,
    ) -> Result<(), ImportError> {
        let first = (self.all.len() > self.own_from).then_some(self.own_from);
        let errors_max = self.limits.errors;
        let counts = self.count(batch.or(first))?;
        counts.rows_skipped = counts.rows_skipped.saturating_add(1);
        if counts.errors.len() < errors_max {
            counts.errors.push(RowError { index, reason });
        }
        Ok(())
    }

    /// A row of a test that the tool didn't run.
    pub(super) fn not_run(&mut self, batch: usize) -> Result<(), ImportError> {
        let counts = self.count(Some(batch))?;
        counts.rows_not_run = counts.rows_not_run.saturating_add(1);
        Ok(())
    }

    /// The tenant's settings.
    pub(super) fn settings(&mut self, batch: usize, document: CheckDocument) -> Result<(), ImportError> {
        if let Some(one) = self.all.get_mut(batch) {
            one.settings = one.settings.saturating_add(document.settings.len() as u64);
        }
        self.sink.settings(batch, document)
    }

    /// Marks the batches of the file that is read now: their end is missing.
    pub(super) fn partial(&mut self) {
        self.early.partial = true;
        for one in self.all.iter_mut().skip(self.own_from) {
            one.counts.partial = true;
        }
    }

    /// The file of an archive that was read now has ended.
    pub(super) const fn next_file(&mut self) {
        self.own_from = self.all.len();
    }

    /// Ends all batches.
    pub(super) fn finish(mut self) -> Result<Vec<ImportedBatch>, ImportError> {
        let late = std::mem::take(&mut self.early);
        if let Some(last) = self.all.last_mut() {
            let counts = &mut last.counts;
            counts.rows = counts.rows.saturating_add(late.rows);
            counts.rows_skipped = counts.rows_skipped.saturating_add(late.rows_skipped);
            counts.errors.extend(late.errors);
            counts.errors.truncate(self.limits.errors);
        } else {
            self.early = late;
        }
        let usable = self
            .all
            .iter()
            .any(|one| one.counts.rows_ok > 0 || one.counts.rows_not_run > 0 || one.settings > 0);
        if !usable {
            let first = self
                .all
                .iter()
                .map(|one| &one.counts)
                .chain([&self.early])
                .flat_map(|counts| &counts.errors)
                .next();
            return Err(first.map_or(ImportError::Empty, |first| ImportError::NoGoodRow {
                rows: self.rows,
                first: first.reason.clone(),
            }));
        }
        for (at, one) in self.all.iter().enumerate() {
            self.sink.end_batch(at, &one.counts)?;
        }
        Ok(self.all)
    }
}
