//! What a set of rules reads of events, so that nobody decodes the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use af_model::tables::identity_events::TABLE;
use arrow::array::{Array, ArrayRef, AsArray, MapArray, RecordBatch, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use rsigma_eval::{CompiledDetection, CompiledDetectionItem, CompiledMatcher};

use crate::columns::field::{Field, Read};
use crate::columns::render::TARGET;
use crate::read::compile::{Selection, WHOLE, refers};
use crate::rule::{Logic, Rule};

/// What signals, windows, exclusions and accounts are made of, whatever the rules look for.
const ALWAYS: [&str; 18] = [
    "tenant_uid",
    "integration",
    "metadata_uid",
    "metadata_event_code",
    "time",
    "ingested_at",
    "subject_ref",
    "user_uid",
    "user_name",
    "attribution_method",
    "metadata_correlation_uid",
    "trace_uid",
    "actor_user_uid",
    "actor_user_name",
    "actor_user_type_id",
    "src_endpoint_ip",
    "session_uid",
    "session_uid_alt",
];

/// The columns of `identity_events` that a set of rules reads, and the keys of its free map of details.
#[derive(Clone, Debug)]
pub struct Reads {
    columns: BTreeSet<&'static str>,
    details: BTreeSet<String>,
    /// Some rule looks at events as a whole.
    everything: bool,
}

impl Reads {
    /// The map of details, the largest column by far.
    pub const DETAILS: &str = "debug_data";

    pub(crate) fn of(rules: &[Rule]) -> Self {
        let mut reads = Self {
            columns: ALWAYS.into_iter().collect(),
            details: BTreeSet::new(),
            everything: false,
        };
        for rule in rules {
            match &rule.logic {
                Logic::Selection(compiled) => {
                    for selection in &compiled.selections {
                        reads.add_selection(selection);
                    }
                }
                Logic::Correlation(correlation) => {
                    let grouped = correlation.group_by.iter().flat_map(|group| &group.fields);
                    for field in grouped.chain(&correlation.values) {
                        reads.add(field);
                    }
                }
            }
            if let Some(entry) = rule.level_field {
                reads.add(&Field::Column(entry));
            }
        }
        reads
    }

    /// What either of two sets reads.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.columns.extend(other.columns);
        self.details.extend(other.details);
        self.everything |= other.everything;
        self
    }

    /// The columns, in the table's order.
    pub fn columns(&self) -> Vec<&'static str> {
        let names = TABLE.columns.iter().map(|column| column.name);
        names
            .filter(|name| self.everything || self.columns.contains(name))
            .collect()
    }

    /// The same events without those details that no rule asks for; the map is the largest column by
    /// far. A batch in another schema than the scan's stays as it is.
    ///
    /// # Panics
    /// When a map of the batch is not one that Arrow lets be: no input can cause that.
    #[must_use]
    pub fn narrowed(&self, events: RecordBatch) -> RecordBatch {
        let Ok(place) = events.schema_ref().index_of(Self::DETAILS) else {
            return events;
        };
        let Some(map) = events
            .column(place)
            .as_map_opt()
            .filter(|_| !self.everything)
        else {
            return events;
        };
        let Some(keys) = map.keys().as_string_opt::<i32>() else {
            return events;
        };
        let wanted = ByLength::of(&self.details);
        let mut kept: Vec<u32> = Vec::new();
        let mut lengths: Vec<usize> = Vec::with_capacity(map.len());
        for range in map.value_offsets().windows(2) {
            let before = kept.len();
            let entry = |offset: i32| u32::try_from(offset).expect("Arrow offsets never sink");
            let entries = entry(range[0])..entry(range[1]);
            kept.extend(entries.filter(|entry| wanted.has(keys.value(*entry as usize))));
            lengths.push(kept.len() - before);
        }
        let entries = take(map.entries(), &UInt32Array::from(kept), None);
        let entries = entries.expect("the entries are there");
        let (field, _, _, nulls, is_sorted) = map.clone().into_parts();
        let narrow = MapArray::new(
            field,
            OffsetBuffer::from_lengths(lengths),
            entries.as_struct().clone(),
            nulls,
            is_sorted,
        );
        let mut columns: Vec<ArrayRef> = events.columns().to_vec();
        columns[place] = Arc::new(narrow);
        RecordBatch::try_new(events.schema(), columns).expect("the types and lengths are the same")
    }

    fn add(&mut self, field: &Field) {
        match field {
            Field::Debug(key) => {
                self.columns.insert(Self::DETAILS);
                self.details.insert(key.clone());
            }
            Field::Column(entry) => {
                self.columns.insert(entry.column);
                if entry.read == Read::Attempt {
                    self.columns.insert("metadata_uid");
                }
            }
        }
    }

    fn add_selection(&mut self, selection: &Selection) {
        match selection {
            Selection::Items(items) => items.iter().for_each(|item| self.add(&item.field)),
            Selection::Any(parts) | Selection::All(parts) => {
                for part in parts {
                    self.add_selection(part);
                }
            }
            Selection::Row(detection) => {
                if let Some(whole) = detection.detections.get(WHOLE) {
                    self.add_detection(whole);
                } else {
                    self.everything = true;
                }
            }
        }
    }

    /// What is evaluated row by row asks for its fields by name.
    fn add_detection(&mut self, detection: &CompiledDetection) {
        match detection {
            CompiledDetection::AllOf(items) => items.iter().for_each(|item| self.add_item(item)),
            CompiledDetection::AnyOf(parts) | CompiledDetection::And(parts) => {
                for part in parts {
                    self.add_detection(part);
                }
            }
            CompiledDetection::ArrayMatch { field, body, .. } if is_closed(body) => {
                self.add_path(field);
            }
            _ => self.everything = true,
        }
    }

    fn add_item(&mut self, item: &CompiledDetectionItem) {
        match (&item.field, &item.matcher) {
            (Some(path), CompiledMatcher::FieldRef { field, .. }) => {
                self.add_path(path);
                self.add_path(field);
            }
            (Some(path), matcher) if !refers(matcher) => self.add_path(path),
            _ => self.everything = true,
        }
    }

    fn add_path(&mut self, path: &str) {
        if path == TARGET {
            self.columns.insert("targets");
            return;
        }
        match Field::find(path) {
            Ok(Field::Column(entry)) if !entry.is_plain() => self.everything = true,
            Ok(field) => self.add(&field),
            Err(_) => self.everything = true,
        }
    }
}

/// Keys by their lengths: most keys that nobody wants differ from all others there.
struct ByLength<'k>(Vec<Vec<&'k str>>);

impl<'k> ByLength<'k> {
    fn of(keys: &'k BTreeSet<String>) -> Self {
        let longest = keys.iter().map(String::len).max();
        let mut by_length = vec![Vec::new(); longest.map_or(0, |longest| longest + 1)];
        for key in keys {
            by_length[key.len()].push(key.as_str());
        }
        Self(by_length)
    }

    fn has(&self, key: &str) -> bool {
        let known = self.0.get(key.len());
        known.is_some_and(|known| known.contains(&key))
    }
}

/// Whether a detection asks for nothing but parts of the value that it is about.
fn is_closed(detection: &CompiledDetection) -> bool {
    match detection {
        CompiledDetection::AllOf(items) => items.iter().all(|item| !refers(&item.matcher)),
        CompiledDetection::AnyOf(parts) | CompiledDetection::And(parts) => {
            parts.iter().all(is_closed)
        }
        CompiledDetection::Keywords(matcher) => !refers(matcher),
        CompiledDetection::ArrayMatch { body, .. } => is_closed(body),
        CompiledDetection::Conditional { named, .. } => named.values().all(is_closed),
    }
}
