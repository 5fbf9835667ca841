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

/// How many text columns make a [class](crate::class::Class), without the list of techniques.
pub(crate) const CLASS_TEXTS: usize = 8;

/// The text columns of a class, in the order of a class key.
const CLASS_COLUMNS: [&str; CLASS_TEXTS] = [
    "tenant_uid",
    "component",
    "family",
    "level",
    "rule_id",
    "rule_version",
    "source",
    "integration",
];

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

    fn slice(&self, offset: usize, len: usize) -> Self {
        match self {
            Self::Plain(array) => Self::Plain(array.slice(offset, len)),
            Self::Coded(keys, values) => Self::Coded(keys.slice(offset, len), values.clone()),
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

    fn slice(&self, offset: usize, len: usize) -> Self {
        Self {
            offsets: self.offsets.slice(offset, len),
            values: self.values.clone(),
            nulls: self.nulls.as_ref().map(|nulls| nulls.slice(offset, len)),
        }
    }
}

/// One batch, or a part of one. Cloning and slicing copy no cells.
#[derive(Clone)]
pub(crate) struct Columns {
    pub(crate) rows: usize,
    /// `CLASS_COLUMNS` in their order.
    pub(crate) class: [Text; CLASS_TEXTS],
    pub(crate) techniques: Texts,
    pub(crate) signal_uid: Text,
    pub(crate) incident_uid: Text,
    pub(crate) event_uids: Texts,
    /// `subject_ref`, `subject_uid`, `subject_login`, `subject_email`.
    pub(crate) subject: [Text; 4],
    pub(crate) time: TimestampMillisecondArray,
    pub(crate) ingested_at: TimestampMillisecondArray,
    /// Set where a row breaks the contract by a null or by a value that was lost.
    breach: Option<BooleanBuffer>,
}

impl Columns {
    /// Reads anybody's batch.
    ///
    /// # Errors
    /// [`Error`] when a required column is absent or a column has a type of another kind.
    pub(crate) fn read(batch: &RecordBatch) -> Result<Self, Error> {
        let mut loader = Loader {
            batch,
            breach: None,
        };
        let mut class = Vec::with_capacity(CLASS_TEXTS);
        for name in CLASS_COLUMNS {
            class.push(loader.text(name)?);
        }
        let Ok(class) = class.try_into() else {
            unreachable!("every class column was just read")
        };
        Ok(Self {
            rows: batch.num_rows(),
            class,
            techniques: loader.texts("attack_techniques")?,
            signal_uid: loader.text("signal_uid")?,
            incident_uid: loader.text("incident_uid")?,
            event_uids: loader.texts("event_uids")?,
            subject: [
                loader.text("subject_ref")?,
                loader.text("subject_uid")?,
                loader.text("subject_login")?,
                loader.text("subject_email")?,
            ],
            time: loader.instant("time")?,
            ingested_at: loader.instant("ingested_at")?,
            breach: loader.breach,
        })
    }

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

    /// The rows from `offset` on.
    pub(crate) fn slice(&self, offset: usize, len: usize) -> Self {
        let slice = |text: &Text| text.slice(offset, len);
        Self {
            rows: len,
            class: self.class.each_ref().map(slice),
            techniques: self.techniques.slice(offset, len),
            signal_uid: slice(&self.signal_uid),
            incident_uid: slice(&self.incident_uid),
            event_uids: self.event_uids.slice(offset, len),
            subject: self.subject.each_ref().map(slice),
            time: self.time.slice(offset, len),
            ingested_at: self.ingested_at.slice(offset, len),
            breach: self.breach.as_ref().map(|breach| breach.slice(offset, len)),
        }
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
        let columns = Columns::read(&replaced("level", level)).unwrap();
        assert!(columns.is_breach(0));
        assert!(!columns.is_breach(1));
        assert!(!columns.slice(1, 1).is_breach(0));
    }

    #[test]
    fn a_time_too_far_to_count_in_milliseconds_spoils_one_row() {
        let time: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX, 1_700_000_000]));
        let columns = Columns::read(&replaced("time", time)).unwrap();
        assert!(columns.is_breach(0));
        assert_eq!(columns.time.value(1), 1_700_000_000_000);
        // The same in a column that may be null: null means "known from the start", a lost value not.
        let ingested: ArrayRef = Arc::new(TimestampSecondArray::from(vec![Some(i64::MAX), None]));
        let columns = Columns::read(&replaced("ingested_at", ingested)).unwrap();
        assert!(columns.is_breach(0));
        assert!(!columns.is_breach(1));
    }

    #[test]
    fn a_dictionary_of_any_key_stays_a_dictionary() {
        let mut builder = StringDictionaryBuilder::<UInt8Type>::new();
        builder.append_value("low");
        builder.append_null();
        let columns = Columns::read(&replaced("level", Arc::new(builder.finish()))).unwrap();
        assert!(matches!(&columns.class[3], Text::Coded(_, values) if values.len() == 1));
        assert_eq!(columns.class[3].get(0), Some("low"));
        assert_eq!(columns.class[3].get(1), None);
        assert!(columns.is_breach(1));
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
        let Err(error) = Columns::read(&without("level")) else {
            panic!("level is required")
        };
        assert_eq!(error.kind(), ErrorKind::MissingColumn);
        assert_eq!(
            error.to_string(),
            "column level of attack_signals is required and absent"
        );
        let columns = Columns::read(&without("event_uids")).unwrap();
        assert!(columns.event_uids.get(0).is_none());
    }

    #[test]
    fn a_column_of_another_kind_is_an_error() {
        let events: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let time: ArrayRef = Arc::new(arrow::array::BooleanArray::from(vec![true, false]));
        let Err(error) = Columns::read(&replaced("time", time)) else {
            panic!("a flag is no instant")
        };
        assert_eq!(
            (error.kind(), error.column()),
            (ErrorKind::WrongType, "time")
        );
        // A number is a text of digits to Arrow; as a list of one it would be no harm either.
        assert!(Columns::read(&replaced("rule_id", events)).is_ok());
    }
}
