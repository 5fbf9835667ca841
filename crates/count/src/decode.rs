//! Columns → rows: the hot loop.

use std::hash::{BuildHasher, Hasher};

use af_model::UtcMillis;
use af_model::accounting::SignalAccount;
use af_model::name::check_tenant;
use arrow::array::Array;

use crate::columns::{Cells, Columns};
use crate::context::Context;
use crate::interner::position;
use crate::kind::{judge, place};
use crate::labels;
use crate::part::{Behind, Decoded, KindOfPart, Part, Row, RunOfSubject, TenantOfPart};
use crate::people::{Decision, PeopleIndex, Resolution, Sought, TenantKeys};

/// How much a signal's time may lie after its `ingested_at`, in milliseconds: ten minutes.
const MAX_SKEW_MILLIS: i64 = 600_000;

impl Context<'_> {
    /// Decodes a batch. Subjects are looked up once per run of rows that name the same one, which
    /// in a sorted partition is once.
    pub(crate) fn decode(&self, columns: Columns) -> Decoded {
        let Columns { labels, cells } = columns;
        let tenant_of = labels::tenants(&labels, cells.rows);
        let kind_of = labels::kinds(&labels, cells.rows);
        let mut tenants: Vec<Tenant<'_>> = tenant_of
            .shown_by
            .iter()
            .map(|&row| self.tenant(labels.tenant.get(row)))
            .collect();
        let mut kinds = Vec::with_capacity(kind_of.shown_by.len());
        let mut seeds = Vec::with_capacity(kind_of.shown_by.len());
        for &row in &kind_of.shown_by {
            let texts = labels::texts(&labels, row);
            seeds.push(self.hasher.hash_one(texts[place::SOURCE]));
            kinds.push(KindOfPart {
                shown_by: row,
                level: judge(&texts),
            });
        }

        let mut rows = Vec::with_capacity(cells.rows);
        let mut runs: Vec<FirstOfRun> = Vec::new();
        let mut last: Option<(u32, usize)> = None;
        for row in 0..cells.rows {
            let (tenant_id, kind_id) = (tenant_of.of_row[row], kind_of.of_row[row]);
            let of_part = &mut tenants[tenant_id as usize].of_part;
            if cells.ingested_after(row, self.cut.known_at) {
                of_part.account.signals_read += 1;
                of_part.account.not_yet_known += 1;
                continue;
            }
            let is_sound = of_part.name.is_some() && kinds[kind_id as usize].level.is_some();
            let Some(signal) = Signal::read(&cells, row).filter(|_| is_sound) else {
                of_part.account.signals_read += 1;
                of_part.account.quarantined += 1;
                continue;
            };
            let same_subject = last.is_some_and(|(of_tenant, before)| {
                of_tenant == tenant_id && cells.is_same_subject(before, row)
            });
            if !same_subject {
                runs.push(FirstOfRun {
                    tenant: tenant_id,
                    row,
                    time: signal.time,
                });
            }
            last = Some((tenant_id, row));
            let mut hasher = self.hasher.build_hasher();
            hasher.write_u64(seeds[kind_id as usize]);
            hasher.write(signal.uid.as_bytes());
            rows.push(Row {
                time: signal.time,
                ingested_at: signal.ingested_at,
                key_hash: hasher.finish(),
                tenant: tenant_id,
                kind: kind_id,
                subject: position(runs.len() - 1),
                cell: position(row),
            });
        }
        let subjects = self.subjects(&runs, &tenants, &cells);
        let tenants = tenants.into_iter().map(|tenant| tenant.of_part).collect();
        Decoded {
            tenants,
            kinds,
            latest_ingested: cells.latest_ingested(),
            labels,
            part: Part {
                rows,
                behind: Behind::Columns {
                    cells: Box::new(cells),
                    subjects,
                },
            },
        }
    }

    fn tenant(&self, name: Option<&str>) -> Tenant<'_> {
        let name = name.filter(|name| check_tenant(name).is_ok());
        Tenant {
            keys: name.and_then(|name| self.people.keys_of(name)),
            of_part: TenantOfPart {
                name: name.map(str::to_owned),
                account: SignalAccount::default(),
            },
        }
    }

    fn subjects(
        &self,
        runs: &[FirstOfRun],
        tenants: &[Tenant<'_>],
        cells: &Cells,
    ) -> Vec<RunOfSubject> {
        let mut subjects = Vec::with_capacity(runs.len());
        for runs in runs.chunks(PeopleIndex::SIDE_BY_SIDE) {
            let sought = runs.iter().map(|run| {
                let tenant = &tenants[run.tenant as usize];
                Sought {
                    tenant: tenant.of_part.name.as_deref().unwrap_or_default(),
                    keys: tenant.keys,
                    subject: cells.subject(run.row),
                    time: UtcMillis(run.time),
                }
            });
            let sought: Vec<Sought<'_>> = sought.collect();
            let decisions = self.people.decide_all(&sought, self.cut.as_of);
            let of_runs = sought.iter().zip(decisions);
            subjects.extend(of_runs.map(|(sought, decision)| self.subject(sought, decision)));
        }
        subjects
    }

    fn subject(&self, sought: &Sought<'_>, decision: Decision) -> RunOfSubject {
        let always_matches =
            decision.steady && matches!(decision.resolution, Resolution::Person(_));
        let keyed_hash = || sought.subject.hash(sought.tenant, &self.hash_key);
        RunOfSubject {
            decision,
            hash: self.hasher.hash_one(sought.subject),
            keyed_hash: (!always_matches).then(keyed_hash).flatten(),
        }
    }
}

/// Where a run of rows begins that name the same subject.
struct FirstOfRun {
    tenant: u32,
    row: usize,
    time: i64,
}

/// A tenant of the batch and its people's keys.
struct Tenant<'p> {
    keys: Option<&'p TenantKeys>,
    of_part: TenantOfPart,
}

/// The columns of a row that must be sound beside its tenant and kind.
struct Signal<'a> {
    uid: &'a str,
    time: i64,
    ingested_at: i64,
}

impl<'a> Signal<'a> {
    /// `None` when the row breaks the contract: a null or lost value, a blank id (all signals
    /// without one would pass for duplicates of each other), a time outside the years 0001 to
    /// 9999, or one more than ten minutes after `ingested_at`.
    #[inline]
    fn read(cells: &'a Cells, row: usize) -> Option<Self> {
        if cells.is_breach(row) {
            return None;
        }
        let uid = cells
            .signal_uid
            .get(row)
            .filter(|uid| !uid.trim().is_empty())?;
        let time = UtcMillis::checked(cells.time.value(row)).ok()?.0;
        let ingested_at = if cells.ingested_at.is_valid(row) {
            let ingested_at = UtcMillis::checked(cells.ingested_at.value(row)).ok()?.0;
            if time > ingested_at + MAX_SKEW_MILLIS {
                return None;
            }
            ingested_at
        } else {
            i64::MIN
        };
        Some(Self {
            uid,
            time,
            ingested_at,
        })
    }
}
