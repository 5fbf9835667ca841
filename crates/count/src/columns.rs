//! Anybody's batch of `attack_signals` as typed columns.
//!
//! More lenient than [`Table::conform`](af_model::contract::Table::conform): a null where the
//! contract forbids one, or a value that does not survive the way into the contract's type, spoils
//! its row and not its batch.

use std::sync::Arc;

use af_model::UtcMillis;
use af_model::tables::attack_signals;
use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, RecordBatch, StringArray, TimestampMillisecondArray,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int32Type, TimestampMillisecondType};

use crate::error::Error;
use crate::people::Subject;
use crate::retractions::Retractions;

/// How many text columns make a [kind](crate::kind::Kind).
pub(crate) const KIND_TEXTS: usize = 6;

/// The text columns of a kind, in the order of a kind's key.
const KIND_COLUMNS: [&str; KIND_TEXTS] = [
    "component",
    "family",
    "level",
    "rule_id",
    "source",
    "integration",
];

/// The subject columns in the order of [`Subject`](crate::Subject).
const SUBJECT_COLUMNS: [&str; 4] = [
    "subject_ref",
    "subject_uid",
    "subject_login",
    "subject_email",
];

/// The columns that a count reads, in the table's order. Those of the events behind a signal only
/// where events were retracted: they are a third of the bytes.
pub fn columns_read(retractions: &Retractions) -> Vec<&'static str> {
    let is_read = |name: &str| {
        KIND_COLUMNS.contains(&name)
            || SUBJECT_COLUMNS.contains(&name)
            || matches!(
                name,
                "tenant_uid" | "signal_uid" | "incident_uid" | "time" | "ingested_at"
            )
            || (name == "event_uids" && retractions.name_events())
    };
    attack_signals::TABLE
        .columns
        .iter()
        .map(|column| column.name)
        .filter(|name| is_read(name))
        .collect()
}

/// A column of text.
#[derive(Clone)]
pub(crate) enum Text {
    /// One string a row.
    Plain(StringArray),
    /// One key a row, one string a distinct value.
    Coded(Int32Array, StringArray),
}

impl Text {
    /// The cell at `row`.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Coded(keys, values) => coded(keys, row)
                .filter(|&value| values.is_valid(value))
                .map(|value| values.value(value)),
        }
    }

    /// Whether two cells are known to be the same: a dictionary is asked for its keys alone, and may hold
    /// a value twice.
    #[inline]
    fn is_same(&self, one: usize, other: usize) -> bool {
        match self {
            Self::Plain(_) => self.get(one) == self.get(other),
            Self::Coded(keys, _) => {
                let (one_is_null, other_is_null) = (keys.is_null(one), keys.is_null(other));
                one_is_null == other_is_null
                    && (one_is_null || keys.value(one) == keys.value(other))
            }
        }
    }
}

/// The position of a row's value in its dictionary.
#[inline]
pub(crate) fn coded(keys: &Int32Array, row: usize) -> Option<usize> {
    if keys.is_null(row) {
        return None;
    }
    usize::try_from(keys.value(row)).ok()
}

/// A column of lists of texts.
#[derive(Clone)]
pub(crate) struct Texts {
    offsets: OffsetBuffer<i32>,
    values: StringArray,
    nulls: Option<NullBuffer>,
}

impl Texts {
    /// The texts of a row, nulls among them left out; `None` for a null list.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<impl Iterator<Item = &str> + Clone> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let at = |index: usize| {
            usize::try_from(self.offsets[index]).expect("Arrow offsets are never negative")
        };
        Some(
            (at(row)..at(row + 1))
                .filter(|&entry| self.values.is_valid(entry))
                .map(|entry| self.values.value(entry)),
        )
    }
}

/// What repeats in many rows of a batch.
pub(crate) struct Labels {
    pub(crate) tenant: Text,
    /// `KIND_COLUMNS` in their order.
    pub(crate) kind: [Text; KIND_TEXTS],
}

/// What is every row's own.
pub(crate) struct Cells {
    pub(crate) rows: usize,
    pub(crate) signal_uid: Text,
    pub(crate) incident_uid: Text,
    /// `SUBJECT_COLUMNS` in their order.
    pub(crate) subject: [Text; 4],
    pub(crate) time: TimestampMillisecondArray,
    pub(crate) ingested_at: TimestampMillisecondArray,
    /// Only where events were retracted.
    pub(crate) event_uids: Option<Texts>,
    /// Set where a row breaks the contract by a null or by a value that was lost.
    breach: Option<BooleanBuffer>,
}

/// One batch.
pub(crate) struct Columns {
    pub(crate) labels: Labels,
    pub(crate) cells: Cells,
}

impl Columns {
    /// Reads anybody's batch.
    ///
    /// # Errors
    /// [`Error`] when a required column is absent or a column has a type of another kind.
    pub(crate) fn read(batch: &RecordBatch, with_events: bool) -> Result<Self, Error> {
        let mut loader = Loader {
            batch,
            breach: None,
        };
        let mut texts = |name| loader.text(name);
        let tenant = texts("tenant_uid")?;
        let [component, family, level, rule_id, source, integration] = KIND_COLUMNS;
        let kind = [
            texts(component)?,
            texts(family)?,
            texts(level)?,
            texts(rule_id)?,
            texts(source)?,
            texts(integration)?,
        ];
        let signal_uid = texts("signal_uid")?;
        let incident_uid = texts("incident_uid")?;
        let [reference, uid, login, email] = SUBJECT_COLUMNS;
        let subject = [texts(reference)?, texts(uid)?, texts(login)?, texts(email)?];
        Ok(Self {
            labels: Labels { tenant, kind },
            cells: Cells {
                rows: batch.num_rows(),
                signal_uid,
                incident_uid,
                subject,
                time: loader.instant("time")?,
                ingested_at: loader.instant("ingested_at")?,
                event_uids: if with_events {
                    Some(loader.texts("event_uids")?)
                } else {
                    None
                },
                breach: loader.breach,
            },
        })
    }
}

impl Cells {
    /// Whether a row was spoiled on its way into the contract's types.
    #[inline]
    pub(crate) fn is_breach(&self, row: usize) -> bool {
        self.breach.as_ref().is_some_and(|breach| breach.value(row))
    }

    /// Whether a row says that it became known after an instant. One that names no instant of any
    /// calendar says nothing; it is broken at every cut.
    #[inline]
    pub(crate) fn ingested_after(&self, row: usize, instant: UtcMillis) -> bool {
        self.ingested_at.is_valid(row)
            && self.ingested_at.value(row) > instant.0
            && UtcMillis::checked(self.ingested_at.value(row)).is_ok()
    }

    /// The latest instant at which a row became known, in milliseconds. What is an instant of no
    /// calendar tells nothing.
    pub(crate) fn latest_ingested(&self) -> Option<i64> {
        let latest = arrow::compute::max(&self.ingested_at)?;
        if UtcMillis::checked(latest).is_ok() {
            return Some(latest);
        }
        let instants = self.ingested_at.iter().flatten();
        instants.filter(|&at| UtcMillis::checked(at).is_ok()).max()
    }

    /// What a row calls the person it hit.
    #[inline]
    pub(crate) fn subject(&self, row: usize) -> Subject<'_> {
        let [subject_ref, uid, login, email] = &self.subject;
        Subject {
            subject_ref: subject_ref.get(row),
            uid: uid.get(row),
            login: login.get(row),
            email: email.get(row),
        }
    }

    /// Whether two rows are known to call the person they hit the same.
    #[inline]
    pub(crate) fn is_same_subject(&self, one: usize, other: usize) -> bool {
        self.subject.iter().all(|column| column.is_same(one, other))
    }
}

struct Loader<'b> {
    batch: &'b RecordBatch,
    breach: Option<BooleanBuffer>,
}

impl Loader<'_> {
    fn text(&mut self, name: &'static str) -> Result<Text, Error> {
        let array = self.array(name, |found| match found {
            DataType::Dictionary(_, _) => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            _ => DataType::Utf8,
        })?;
        Ok(match array.as_dictionary_opt::<Int32Type>() {
            Some(dictionary) => Text::Coded(
                dictionary.keys().clone(),
                dictionary.values().as_string::<i32>().clone(),
            ),
            None => Text::Plain(array.as_string::<i32>().clone()),
        })
    }

    fn texts(&mut self, name: &'static str) -> Result<Texts, Error> {
        let wanted = contract(name).kind.data_type();
        let array = self.array(name, |_| wanted.clone())?;
        let list = array.as_list::<i32>();
        Ok(Texts {
            offsets: list.offsets().clone(),
            values: list.values().as_string::<i32>().clone(),
            nulls: list.nulls().cloned(),
        })
    }

    fn instant(&mut self, name: &'static str) -> Result<TimestampMillisecondArray, Error> {
        let wanted = contract(name).kind.data_type();
        let array = self.array(name, |_| wanted.clone())?;
        Ok(array.as_primitive::<TimestampMillisecondType>().clone())
    }

    fn array(
        &mut self,
        name: &'static str,
        wanted: impl Fn(&DataType) -> DataType,
    ) -> Result<ArrayRef, Error> {
        let column = contract(name);
        let Some(found) = self.batch.column_by_name(name) else {
            return if column.nullable {
                let data_type = wanted(&column.kind.data_type());
                Ok(new_null_array(&data_type, self.batch.num_rows()))
            } else {
                Err(Error::missing(name))
            };
        };
        let wanted = wanted(found.data_type());
        let array = if *found.data_type() == wanted {
            Arc::clone(found)
        } else {
            // Safe: what cannot be represented becomes null, which is noticed below.
            let options = CastOptions {
                safe: true,
                ..CastOptions::default()
            };
            cast_with_options(found, &wanted, &options).map_err(|error| {
                Error::wrong_type(name, found.data_type(), column.kind.name(), &error)
            })?
        };
        let nulls = |array: &ArrayRef| array.logical_nulls().map(NullBuffer::into_inner);
        let Some(valid) = nulls(&array) else {
            return Ok(array);
        };
        let lost = if !column.nullable {
            !&valid
        } else if Arc::ptr_eq(&array, found) {
            return Ok(array);
        } else {
            match nulls(found) {
                None => !&valid,
                Some(was_valid) => &was_valid & &!&valid,
            }
        };
        self.breach = Some(match self.breach.take() {
            None => lost,
            Some(breach) => &breach | &lost,
        });
        Ok(array)
    }
}

fn contract(name: &str) -> &'static af_model::contract::Column {
    attack_signals::TABLE
        .column(name)
        .expect("only columns of the contract are asked for")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::testing::signal;
    use arrow::array::{Int64Array, StringDictionaryBuilder, TimestampSecondArray};
    use arrow::datatypes::{Field, Schema, UInt8Type};

    fn batch() -> RecordBatch {
        let rows = [
            signal("s1", "ana@acme.example"),
            signal("s2", "bob@acme.example"),
        ];
        attack_signals::batch(&rows)
    }

    fn replaced(name: &str, array: ArrayRef) -> RecordBatch {
        let batch = batch();
        let schema = batch.schema();
        let (index, _) = schema.column_with_name(name).unwrap();
        let mut fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_nullable(true))
            .collect();
        fields[index] = Field::new(name, array.data_type().clone(), true);
        let mut columns = batch.columns().to_vec();
        columns[index] = array;
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    #[test]
    fn a_null_in_a_required_column_spoils_one_row() {
        let level: ArrayRef = Arc::new(StringArray::from(vec![None, Some("high")]));
        let columns = Columns::read(&replaced("level", level), true).unwrap();
        assert!(columns.cells.is_breach(0));
        assert!(!columns.cells.is_breach(1));
    }

    #[test]
    fn a_time_too_far_to_count_in_milliseconds_spoils_one_row() {
        let time: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX, 1_700_000_000]));
        let columns = Columns::read(&replaced("time", time), true).unwrap();
        assert!(columns.cells.is_breach(0));
        assert_eq!(columns.cells.time.value(1), 1_700_000_000_000);
        // The same in a column that may be null: null means "known from the start", a lost value not.
        let ingested: ArrayRef = Arc::new(TimestampSecondArray::from(vec![Some(i64::MAX), None]));
        let columns = Columns::read(&replaced("ingested_at", ingested), true).unwrap();
        assert!(columns.cells.is_breach(0));
        assert!(!columns.cells.is_breach(1));
    }

    #[test]
    fn a_dictionary_of_any_key_stays_a_dictionary() {
        let mut builder = StringDictionaryBuilder::<UInt8Type>::new();
        builder.append_value("low");
        builder.append_null();
        let columns = Columns::read(&replaced("level", Arc::new(builder.finish())), true).unwrap();
        assert!(matches!(&columns.labels.kind[2], Text::Coded(_, values) if values.len() == 1));
        assert_eq!(columns.labels.kind[2].get(0), Some("low"));
        assert_eq!(columns.labels.kind[2].get(1), None);
        assert!(columns.cells.is_breach(1));
    }

    #[test]
    fn an_absent_column_is_an_error_only_when_required() {
        let full = batch();
        let without = |name: &str| {
            let schema = full.schema();
            let (dropped, _) = schema.column_with_name(name).unwrap();
            let kept: Vec<usize> = (0..full.num_columns()).filter(|&i| i != dropped).collect();
            full.project(&kept).unwrap()
        };
        let Err(error) = Columns::read(&without("level"), true) else {
            panic!("level is required")
        };
        assert_eq!(error.kind(), ErrorKind::MissingColumn);
        assert_eq!(
            error.to_string(),
            "column level of attack_signals is required and absent"
        );
        let columns = Columns::read(&without("event_uids"), true).unwrap();
        assert!(columns.cells.event_uids.as_ref().unwrap().get(0).is_none());
    }

    #[test]
    fn a_column_of_another_kind_is_an_error() {
        let events: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let time: ArrayRef = Arc::new(arrow::array::BooleanArray::from(vec![true, false]));
        let Err(error) = Columns::read(&replaced("time", time), true) else {
            panic!("a flag is no instant")
        };
        assert_eq!(
            (error.kind(), error.column()),
            (ErrorKind::WrongType, "time")
        );
        // A number is a text of digits to Arrow; as a list of one it would be no harm either.
        assert!(Columns::read(&replaced("rule_id", events), true).is_ok());
    }
}
