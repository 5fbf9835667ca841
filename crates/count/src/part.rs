//! Signals as compact rows beside the columns or records they came from.

use af_model::accounting::SignalAccount;
use af_model::{HexHash, Level};

use crate::columns::{Cells, Labels};
use crate::people::{Decision, Resolution, Subject};
use crate::records::Tails;

/// Rows with which a part of records ends: another begins, so that what grows is never large.
const OPEN: usize = 1 << 14;

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
    /// Position in the part's subjects; of a record where its texts begin.
    pub(crate) subject: u32,
    /// Row of the batch; of a record where its tail is.
    pub(crate) cell: u32,
}

/// One subject of a part: a run of rows that name it.
pub(crate) struct RunOfSubject {
    /// Whom it means; at the time of the first row of the run, unless steady.
    pub(crate) decision: Decision,
    /// Of its columns, by the count's own hasher.
    pub(crate) hash: u64,
    /// Its keyed hash, if some of its signals may end unmatched.
    pub(crate) keyed_hash: Option<HexHash>,
}

/// What a part holds of one tenant that has no rows.
pub(crate) struct TenantOfPart {
    /// `None` for a tenant without a name or with an invalid one.
    pub(crate) name: Option<String>,
    pub(crate) account: SignalAccount,
}

/// Rows that share what stands behind them.
pub(crate) struct Part {
    pub(crate) rows: Vec<Row>,
    pub(crate) behind: Behind,
}

impl Part {
    /// A part that takes rows from anywhere, without any.
    pub(crate) fn of_records() -> Self {
        Self {
            rows: Vec::new(),
            behind: Behind::Records(Tails::default()),
        }
    }

    /// Rows and what stands behind them, where there is room for more.
    pub(crate) fn open(&mut self) -> Option<(&mut Vec<Row>, &mut Tails)> {
        match &mut self.behind {
            Behind::Records(tails) if self.rows.len() < OPEN && tails.have_room() => {
                Some((&mut self.rows, tails))
            }
            _ => None,
        }
    }
}

/// Where the texts of rows are.
pub(crate) enum Behind {
    /// In the columns of their batch.
    Columns {
        cells: Box<Cells>,
        subjects: Vec<RunOfSubject>,
    },
    /// On their own: whom each row means was decided, and its batch is gone.
    Records(Tails),
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
        match &self.part.behind {
            Behind::Columns { cells, .. } => {
                let uid = cells.signal_uid.get(self.row.cell as usize);
                uid.expect("only signals with an id become rows")
            }
            Behind::Records(tails) => tails.signal_uid(self.row),
        }
    }

    /// The incident, unless the signal is its own.
    pub(crate) fn incident_uid(self) -> Option<&'p str> {
        self.incident_cell()
            .filter(|uid| !uid.trim_ascii().is_empty())
    }

    /// The incident as written.
    pub(crate) fn incident_cell(self) -> Option<&'p str> {
        match &self.part.behind {
            Behind::Columns { cells, .. } => cells.incident_uid.get(self.row.cell as usize),
            Behind::Records(tails) => tails.incident(self.row),
        }
    }

    /// The events behind the signal, where they were asked for.
    pub(crate) fn event_uids(self) -> Vec<&'p str> {
        match &self.part.behind {
            Behind::Columns { cells, .. } => {
                let lists = cells.event_uids.as_ref();
                let list = lists.and_then(|lists| lists.get(self.row.cell as usize));
                list.into_iter().flatten().collect()
            }
            Behind::Records(tails) => tails.events(self.row),
        }
    }

    /// Whom it means; where that depends on its time, what it calls that person.
    pub(crate) fn whom(self) -> Result<Resolution, Subject<'p>> {
        match &self.part.behind {
            Behind::Columns { cells, subjects } => {
                let decision = subjects[self.row.subject as usize].decision;
                if decision.steady {
                    Ok(decision.resolution)
                } else {
                    Err(cells.subject(self.row.cell as usize))
                }
            }
            Behind::Records(tails) => Ok(tails.resolution(self.row)),
        }
    }

    /// The keyed hash of whom it names, if it may be nobody's.
    pub(crate) fn keyed_hash(self) -> Option<HexHash> {
        match &self.part.behind {
            Behind::Columns { subjects, .. } => subjects[self.row.subject as usize].keyed_hash,
            Behind::Records(tails) => tails.keyed_hash(self.row),
        }
    }

    /// A hash of all that it calls the person.
    pub(crate) fn subject_hash(self) -> u64 {
        match &self.part.behind {
            Behind::Columns { subjects, .. } => subjects[self.row.subject as usize].hash,
            Behind::Records(tails) => tails.subject_hash(self.row),
        }
    }
}
