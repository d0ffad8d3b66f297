//! The batches of a file while it is read: counts and limits of the rows on their way to the sink.

use watchpost_core::{
    check::{Check, CheckDocument},
    import::{
        ImportBatchHeader, ImportCounts, ImportError, ImportLimits, ImportSink, ImportedBatch, ImportedRow,
        RowError,
    },
};

/// Collects the rows of the format readers and passes them to the sink.
pub(super) struct Batches<'s> {
    sink: &'s mut dyn ImportSink,
    /// The catalog of checks, for their names in other tools.
    pub(super) checks: &'s [Check],
    /// The limits of the import.
    pub(super) limits: ImportLimits,
    /// The run that the files of an archive belong to, if its settings name the tenant.
    pub(super) run: Option<ImportBatchHeader>,
    batches: Vec<ImportedBatch>,
    /// The index of the first batch of the file that is being read.
    file_start: usize,
    /// The counts of unreadable rows that precede the first batch.
    unassigned: ImportCounts,
    rows: u64,
}

impl<'s> Batches<'s> {
    pub(super) fn new(sink: &'s mut dyn ImportSink, checks: &'s [Check], limits: ImportLimits) -> Self {
        Self {
            sink,
            checks,
            limits,
            run: None,
            batches: Vec::new(),
            file_start: 0,
            unassigned: ImportCounts::default(),
            rows: 0,
        }
    }

    /// Completes the header of a file that doesn't name its tenant by that of the run in the same archive, unless the file's
    /// tool, or its name for the tenant, is another one.
    pub(super) fn of_run(&self, header: ImportBatchHeader) -> ImportBatchHeader {
        let Some(run) = self.run.as_ref().filter(|run| {
            header.tenant_key.is_empty()
                && header.tool == run.tool
                && (header.tenant_name.is_empty() || header.tenant_name == run.tenant_name)
        }) else {
            return header;
        };
        let version = if header.tool_version.is_empty() {
            run.tool_version.clone()
        } else {
            header.tool_version
        };
        ImportBatchHeader {
            format: header.format,
            tool_version: version,
            ..run.clone()
        }
    }

    /// Returns the index of the batch for a header: one of the same file with the same tool and tenant, or a new one.
    pub(super) fn batch(&mut self, header: ImportBatchHeader) -> Result<usize, ImportError> {
        let same = |batch: &ImportedBatch| {
            batch.header.tool == header.tool
                && batch.header.tenant_key == header.tenant_key
                && batch.header.format == header.format
        };
        // The search starts at the last batch, because the rows of a tenant are usually adjacent.
        let found = self
            .batches
            .iter()
            .enumerate()
            .skip(self.file_start)
            .rev()
            .find(|(_, batch)| same(batch));
        if let Some((index, _)) = found {
            return Ok(index);
        }
        if self.batches.len() >= self.limits.batches {
            return Err(ImportError::TooManyTenants {
                limit: self.limits.batches,
            });
        }
        let index = self.batches.len();
        self.sink.begin_batch(index, &header)?;
        self.batches.push(ImportedBatch {
            header,
            counts: std::mem::take(&mut self.unassigned),
            settings: 0,
        });
        Ok(index)
    }

    /// Returns the header of a batch.
    pub(super) fn header(&self, batch: usize) -> Option<&ImportBatchHeader> {
        self.batches.get(batch).map(|batch| &batch.header)
    }

    fn count(&mut self, batch: Option<usize>) -> Result<&mut ImportCounts, ImportError> {
        self.rows = self.rows.saturating_add(1);
        if self.rows > self.limits.rows {
            return Err(ImportError::TooManyRows {
                limit: self.limits.rows,
            });
        }
        let counts = batch
            .and_then(|batch| self.batches.get_mut(batch))
            .map_or(&mut self.unassigned, |batch| &mut batch.counts);
        counts.rows = counts.rows.saturating_add(1);
        Ok(counts)
    }

    /// Adds a row to a batch.
    pub(super) fn row(&mut self, batch: usize, row: ImportedRow) -> Result<(), ImportError> {
        let counts = self.count(Some(batch))?;
        counts.rows_ok = counts.rows_ok.saturating_add(1);
        self.sink.row(batch, row)
    }

    /// Counts an unreadable row: in `batch` or, if its batch is unknown, in the file's first one.
    pub(super) fn bad_row(
        &mut self,
        batch: Option<usize>,
        index: u64,
        reason: String,
    ) -> Result<(), ImportError> {
        let first = (self.batches.len() > self.file_start).then_some(self.file_start);
        let errors_max = self.limits.errors;
        let counts = self.count(batch.or(first))?;
        counts.rows_skipped = counts.rows_skipped.saturating_add(1);
        if counts.errors.len() < errors_max {
            counts.errors.push(RowError { index, reason });
        }
        Ok(())
    }

    /// Counts a row for a test that the tool didn't run.
    pub(super) fn not_run(&mut self, batch: usize) -> Result<(), ImportError> {
        let counts = self.count(Some(batch))?;
        counts.rows_not_run = counts.rows_not_run.saturating_add(1);
        Ok(())
    }

    /// Adds the tenant's settings to a batch.
    pub(super) fn settings(&mut self, batch: usize, document: CheckDocument) -> Result<(), ImportError> {
        if let Some(batch) = self.batches.get_mut(batch) {
            batch.settings = batch.settings.saturating_add(document.settings.len() as u64);
        }
        self.sink.settings(batch, document)
    }

    /// Reports damage in front of a row and marks the batches of the current file as partial. The rows on both sides of the
    /// damage are whole, but others may be missing there.
    pub(super) fn damaged(&mut self, index: u64, reason: String) {
        self.partial();
        let errors_max = self.limits.errors;
        let counts = match self.batches.get_mut(self.file_start) {
            Some(first) => &mut first.counts,
            None => &mut self.unassigned,
        };
        if counts.errors.len() < errors_max {
            counts.errors.push(RowError { index, reason });
        }
    }

    /// Marks the batches of the current file as partial, because rows may be missing.
    pub(super) fn partial(&mut self) {
        self.unassigned.partial = true;
        for batch in self.batches.iter_mut().skip(self.file_start) {
            batch.counts.partial = true;
        }
    }

    /// Marks all batches as partial, because a file of the archive couldn't be read.
    pub(super) fn all_partial(&mut self) {
        for batch in &mut self.batches {
            batch.counts.partial = true;
        }
    }

    /// Ends the current file of an archive.
    pub(super) const fn next_file(&mut self) {
        self.file_start = self.batches.len();
    }

    /// Ends all batches.
    ///
    /// # Errors
    /// Returns an error if nothing in the file is usable.
    pub(super) fn finish(mut self) -> Result<Vec<ImportedBatch>, ImportError> {
        let unassigned = std::mem::take(&mut self.unassigned);
        if let Some(last) = self.batches.last_mut() {
            let counts = &mut last.counts;
            counts.rows = counts.rows.saturating_add(unassigned.rows);
            counts.rows_skipped = counts.rows_skipped.saturating_add(unassigned.rows_skipped);
            counts.partial |= unassigned.partial;
            counts.errors.extend(unassigned.errors);
            counts.errors.truncate(self.limits.errors);
        } else {
            self.unassigned = unassigned;
        }
        let usable = self
            .batches
            .iter()
            .any(|batch| batch.counts.rows_ok > 0 || batch.counts.rows_not_run > 0 || batch.settings > 0);
        if !usable {
            let first = self
                .batches
                .iter()
                .map(|batch| &batch.counts)
                .chain([&self.unassigned])
                .flat_map(|counts| &counts.errors)
                .next();
            return Err(first.map_or(ImportError::Empty, |first| ImportError::NoGoodRow {
                rows: self.rows,
                first: first.reason.clone(),
            }));
        }
        for (index, batch) in self.batches.iter().enumerate() {
            self.sink.end_batch(index, &batch.counts)?;
        }
        Ok(self.batches)
    }
}
