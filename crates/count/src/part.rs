//! The signals of one batch as compact rows beside the columns they came from.

use af_model::{HexHash, Level};

use crate::columns::{Cells, Labels};
use crate::people::{Decision, Subject};

/// One signal that keeps the contract and was known at the cut.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// Milliseconds.
    pub(crate) time: i64,
    /// Milliseconds; null is the earliest of all.
    pub(crate) ingested_at: i64,
    /// Hash of source and signal id.
    pub(crate) key_hash: u64,
    /// Of the part until it is adopted, then of the whole input.
    pub(crate) tenant: u32,
    /// Of the part until it is adopted, then of the whole input.
    pub(crate) kind: u32,
    /// Position in the part's subjects.
    pub(crate) subject: u32,
    /// Row of the batch.
    pub(crate) cell: u32,
}

/// One subject of a part: a run of rows that name it.
pub(crate) struct RunOfSubject {
    /// Whom it means; at the time of the first row of the run, unless steady.
    pub(crate) decision: Decision,
    /// Its keyed hash, if some of its signals may end unmatched.
    pub(crate) hash: Option<HexHash>,
}

/// What a part holds of one tenant that has no rows.
pub(crate) struct TenantOfPart {
    /// `None` for a tenant without a name or with an invalid one.
    pub(crate) name: Option<String>,
    pub(crate) read: u64,
    pub(crate) not_yet_known: u64,
    pub(crate) quarantined: u64,
}

/// The rows of one batch.
pub(crate) struct Part {
    pub(crate) rows: Vec<Row>,
    pub(crate) cells: Cells,
    pub(crate) subjects: Vec<RunOfSubject>,
}

/// A kind as one part saw it.
pub(crate) struct KindOfPart {
    /// A row that shows its texts.
    pub(crate) shown_by: usize,
    /// `None` when it breaks the contract; no row is of such a kind.
    pub(crate) level: Option<Level>,
}

/// A part, and what the input-wide ids of its tenants and kinds are found by.
pub(crate) struct Decoded {
    pub(crate) part: Part,
    pub(crate) labels: Labels,
    pub(crate) tenants: Vec<TenantOfPart>,
    pub(crate) kinds: Vec<KindOfPart>,
    /// The latest instant at which a row became known, in milliseconds.
    pub(crate) latest_ingested: Option<i64>,
}

/// One row with everything that belongs to it.
#[derive(Clone, Copy)]
pub(crate) struct View<'p> {
    pub(crate) part: &'p Part,
    pub(crate) row: &'p Row,
}

impl<'p> View<'p> {
    pub(crate) fn signal_uid(self) -> &'p str {
        let uid = self.part.cells.signal_uid.get(self.row.cell as usize);
        uid.expect("only signals with an id become rows")
    }

    /// The incident, unless the signal is its own.
    pub(crate) fn incident_uid(self) -> Option<&'p str> {
        self.part.cells.incident(self.row.cell as usize)
    }

    /// The incident as written.
    pub(crate) fn incident_cell(self) -> Option<&'p str> {
        self.part.cells.incident_uid.get(self.row.cell as usize)
    }

    /// The events behind the signal, where they were asked for.
    pub(crate) fn event_uids(self) -> impl Iterator<Item = &'p str> + Clone {
        let lists = self.part.cells.event_uids.as_ref();
        let list = lists.and_then(|lists| lists.get(self.row.cell as usize));
        list.into_iter().flatten()
    }

    pub(crate) fn subject(self) -> &'p RunOfSubject {
        &self.part.subjects[self.row.subject as usize]
    }

    /// The subject's columns.
    pub(crate) fn subject_columns(self) -> Subject<'p> {
        self.part.cells.subject(self.row.cell as usize)
    }
}
