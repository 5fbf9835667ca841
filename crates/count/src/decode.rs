//! Columns → rows: the hot loop, run for all chunks in parallel.

use std::fmt::Write;
use std::hash::{BuildHasher, Hasher};

use af_model::{HashKey, UtcMillis};
use arrow::array::Array;
use hashbrown::{DefaultHashBuilder, HashMap};

use crate::class::{ClassKey, Verdict, judge, place};
use crate::columns::{CLASS_TEXTS, Columns, Text, Texts, coded};
use crate::counter::Cut;
use crate::interner::{ChunkNames, NONE, Symbol};
use crate::people::{PeopleIndex, Resolution, Subject};
use crate::record::{put_list, put_text};
use crate::rows::{Chunk, Row, StoredClass, StoredSubject};

/// How much a signal's time may lie after its `ingested_at`, in milliseconds: ten minutes.
const MAX_SKEW_MILLIS: i64 = 600_000;

/// What decoding needs beside the columns.
pub(crate) struct Context<'c> {
    pub(crate) people: &'c PeopleIndex,
    pub(crate) cut: Cut,
    pub(crate) hash_key: &'c HashKey,
    pub(crate) hasher: &'c DefaultHashBuilder,
}

/// Decodes batches into one chunk.
pub(crate) fn decode(batches: &[Columns], context: &Context<'_>) -> Chunk {
    let mut decoder = Decoder {
        context,
        names: ChunkNames::default(),
        class_positions: HashMap::new(),
        classes: Vec::new(),
        subject_positions: HashMap::new(),
        chunk: Chunk {
            rows: Vec::with_capacity(batches.iter().map(|batch| batch.rows).sum()),
            texts: Vec::new(),
            subjects: Vec::new(),
            subject_texts: Vec::new(),
            classes: Vec::new(),
            names: Vec::new(),
            class_ids: Vec::new(),
        },
    };
    for batch in batches {
        decoder.batch(batch);
    }
    decoder.finish()
}

/// A class while a chunk is decoded.
struct OpenClass {
    stored: StoredClass,
    verdict: Verdict,
    tenant_uid: String,
    /// Hash of tenant and source.
    seed: u64,
}

struct Decoder<'a, 'c> {
    context: &'c Context<'c>,
    names: ChunkNames<'a>,
    class_positions: HashMap<ClassKey, u32>,
    classes: Vec<OpenClass>,
    /// By tenant and columns.
    subject_positions: HashMap<(Symbol, Subject<'a>), u32>,
    chunk: Chunk,
}

impl<'a> Decoder<'a, '_> {
    fn batch(&mut self, columns: &'a Columns) {
        let texts: [Vec<Symbol>; CLASS_TEXTS] = columns
            .class
            .each_ref()
            .map(|text| symbols(&mut self.names, text, columns.rows));
        let techniques = list_symbols(&mut self.names, &columns.techniques, columns.rows);
        let mut last_class: Option<(ClassKey, u32)> = None;
        let mut last_subject: Option<((Symbol, Subject<'a>), u32)> = None;
        for row in 0..columns.rows {
            let key: ClassKey =
                std::array::from_fn(|place| texts.get(place).unwrap_or(&techniques)[row]);
            let class = match last_class {
                Some((last, class)) if last == key => class,
                _ => self.class(key),
            };
            last_class = Some((key, class));
            let open = &mut self.classes[class as usize];
            open.stored.read += 1;
            if columns.ingested_after(row, self.context.cut.known_at) {
                open.stored.not_yet_known += 1;
                continue;
            }
            let Some(signal) = Signal::read(columns, row).filter(|_| open.verdict.level.is_some())
            else {
                open.stored.quarantined += 1;
                continue;
            };
            let mut hasher = self.context.hasher.build_hasher();
            hasher.write_u64(open.seed);
            hasher.write(signal.uid.as_bytes());
            let named = (key[place::TENANT], signal.subject);
            let subject = match last_subject {
                Some((last, subject)) if last == named => subject,
                _ => self.subject(named, class, signal.time),
            };
            last_subject = Some((named, subject));
            let text = self.chunk.texts.len();
            put_text(&mut self.chunk.texts, Some(signal.uid));
            put_text(&mut self.chunk.texts, columns.incident_uid.get(row));
            put_list(&mut self.chunk.texts, columns.event_uids.get(row));
            self.chunk.rows.push(Row {
                time: signal.time,
                ingested_at: signal.ingested_at,
                key_hash: hasher.finish(),
                text,
                class,
                subject,
            });
        }
    }

    fn class(&mut self, key: ClassKey) -> u32 {
        let Self {
            context,
            names,
            class_positions,
            classes,
            ..
        } = self;
        *class_positions.entry(key).or_insert_with(|| {
            let tenant_uid = names.get(key[place::TENANT]).unwrap_or_default();
            let source = names.get(key[place::SOURCE]).unwrap_or_default();
            classes.push(OpenClass {
                stored: StoredClass {
                    key,
                    read: 0,
                    not_yet_known: 0,
                    quarantined: 0,
                },
                verdict: judge(&key, |symbol| names.get(symbol)),
                tenant_uid: tenant_uid.to_owned(),
                seed: context.hasher.hash_one((tenant_uid, source)),
            });
            position(classes.len() - 1)
        })
    }

    fn subject(&mut self, named: (Symbol, Subject<'a>), class: u32, time: i64) -> u32 {
        let Self {
            context,
            classes,
            subject_positions,
            chunk,
            ..
        } = self;
        *subject_positions.entry(named).or_insert_with(|| {
            let (_, subject) = named;
            let start = chunk.subject_texts.len();
            for text in [
                subject.subject_ref,
                subject.uid,
                subject.login,
                subject.email,
            ] {
                put_text(&mut chunk.subject_texts, text);
            }
            let tenant_uid = &classes[class as usize].tenant_uid;
            let decision =
                context
                    .people
                    .decide(tenant_uid, subject, UtcMillis(time), context.cut.as_of);
            let always_matches =
                decision.steady && matches!(decision.resolution, Resolution::Person(_));
            chunk.subjects.push(StoredSubject {
                text: start..chunk.subject_texts.len(),
                decision,
                hash: (!always_matches)
                    .then(|| subject.hash(tenant_uid, context.hash_key))
                    .flatten(),
            });
            position(chunk.subjects.len() - 1)
        })
    }

    fn finish(self) -> Chunk {
        let mut chunk = self.chunk;
        chunk.rows.shrink_to_fit();
        chunk.texts.shrink_to_fit();
        chunk.subject_texts.shrink_to_fit();
        chunk.classes = self.classes.into_iter().map(|open| open.stored).collect();
        chunk.names = self.names.into_texts();
        chunk
    }
}

/// The columns of a row that must be sound beside its class.
struct Signal<'a> {
    uid: &'a str,
    time: i64,
    ingested_at: i64,
    subject: Subject<'a>,
}

impl<'a> Signal<'a> {
    /// `None` when the row breaks the contract: a null or lost value, a blank id (all signals
    /// without one would pass for duplicates of each other), a time outside the years 0001 to
    /// 9999, or one more than ten minutes after `ingested_at`.
    fn read(columns: &'a Columns, row: usize) -> Option<Self> {
        if columns.is_breach(row) {
            return None;
        }
        let uid = columns
            .signal_uid
            .get(row)
            .filter(|uid| !uid.trim().is_empty())?;
        let time = UtcMillis::checked(columns.time.value(row)).ok()?.0;
        let ingested_at = if columns.ingested_at.is_valid(row) {
            let ingested_at = UtcMillis::checked(columns.ingested_at.value(row)).ok()?.0;
            if time > ingested_at + MAX_SKEW_MILLIS {
                return None;
            }
            ingested_at
        } else {
            i64::MIN
        };
        let [subject_ref, uid_column, login, email] = &columns.subject;
        Some(Self {
            uid,
            time,
            ingested_at,
            subject: Subject {
                subject_ref: subject_ref.get(row),
                uid: uid_column.get(row),
                login: login.get(row),
                email: email.get(row),
            },
        })
    }
}

/// A column's symbols: one look-up per distinct value of a dictionary, or per run of equal strings.
fn symbols<'a>(names: &mut ChunkNames<'a>, text: &'a Text, rows: usize) -> Vec<Symbol> {
    match text {
        Text::Plain(_) => {
            let mut last: Option<(&str, Symbol)> = None;
            (0..rows)
                .map(|row| {
                    let Some(text) = text.get(row) else {
                        return NONE;
                    };
                    let symbol = match last {
                        Some((run, symbol)) if run == text => symbol,
                        _ => names.text(text),
                    };
                    last = Some((text, symbol));
                    symbol
                })
                .collect()
        }
        Text::Coded(keys, values) => {
            let mut known = vec![NONE; values.len()];
            (0..rows)
                .map(|row| {
                    let (Some(text), Some(value)) = (text.get(row), coded(keys, row)) else {
                        return NONE;
                    };
                    if known[value] == NONE {
                        known[value] = names.text(text);
                    }
                    known[value]
                })
                .collect()
        }
    }
}

fn list_symbols(names: &mut ChunkNames<'_>, lists: &Texts, rows: usize) -> Vec<Symbol> {
    let mut written = String::new();
    (0..rows)
        .map(|row| {
            lists.get(row).map_or(NONE, |texts| {
                written.clear();
                for text in texts {
                    // The length in front keeps ["a:1"] and ["a", "1"] apart.
                    write!(written, "{}:{text}", text.len()).expect("a string grows without fail");
                }
                names.list(&written)
            })
        })
        .collect()
}

fn position(index: usize) -> u32 {
    u32::try_from(index).expect("a chunk has far fewer than 2^32 rows")
}
