//! What a table promises: its columns, their meaning, its order, and how foreign files are read.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::cell::Kind;

/// One column of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The column's name in files.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether a cell may be null; such a column may be absent from foreign files.
    pub nullable: bool,
    /// Whether few values repeat often: read as a dictionary, so that work is done once per value.
    pub repeats: bool,
    /// The unit of a figure; empty for anything that has none.
    pub unit: &'static str,
    /// What it means.
    pub doc: &'static str,
}

impl Column {
    /// Its type in scans: what repeats is a dictionary.
    fn scan_type(&self) -> DataType {
        match self.kind {
            Kind::Text if self.repeats => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            kind => kind.data_type(),
        }
    }

    fn field(&self, data_type: DataType) -> Field {
        Field::new(self.name, data_type, self.nullable)
    }
}

/// The written contract of one table.
#[derive(Debug)]
pub struct Table {
    /// The table's name, which is its file's stem in a snapshot.
    pub name: &'static str,
    /// Rises when a column changes its meaning or disappears; readers refuse newer ones.
    pub version: u32,
    /// What a row is.
    pub doc: &'static str,
    /// The columns by which rows are sorted, ascending, nulls first.
    pub sorted_by: &'static [&'static str],
    /// All columns in file order.
    pub columns: &'static [Column],
}

/// A foreign batch that does not fit a table's contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of {table}: {problem}")]
pub struct ContractError {
    /// The table's name.
    pub table: &'static str,
    /// The column's name.
    pub column: &'static str,
    /// What is wrong: absent, of another type, or null where the contract forbids it.
    pub problem: String,
}

impl Table {
    /// The schema in files: plain strings everywhere.
    pub fn file_schema(&self) -> SchemaRef {
        self.schema(|column| column.kind.data_type())
    }

    /// The schema for scans: columns that repeat are dictionaries.
    pub fn scan_schema(&self) -> SchemaRef {
        self.schema(Column::scan_type)
    }

    fn schema(&self, data_type: impl Fn(&Column) -> DataType) -> SchemaRef {
        let columns = self.columns.iter();
        let fields = columns.map(|column| column.field(data_type(column)));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The contract of a column by name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Brings anybody's batch into [`Table::file_schema`]: `Utf8`, `LargeUtf8`, `Utf8View` and
    /// dictionaries become strings, any timestamp unit becomes milliseconds UTC, any integer width
    /// becomes `Int64`; absent nullable columns become null, unknown columns are dropped.
    ///
    /// # Errors
    /// [`ContractError`] when a required column is absent or holds nulls, or when a value cannot be
    /// represented in the contract's type.
    pub fn conform(&self, batch: &RecordBatch) -> Result<RecordBatch, ContractError> {
        self.conform_to(batch, &self.file_schema())
    }

    /// Like [`Table::conform`], into [`Table::scan_schema`].
    ///
    /// # Errors
    /// As [`Table::conform`].
    pub fn conform_for_scan(&self, batch: &RecordBatch) -> Result<RecordBatch, ContractError> {
        self.conform_to(batch, &self.scan_schema())
    }

    /// Like [`Table::conform`] or, with `dictionaries`, like [`Table::conform_for_scan`], but only
    /// the named columns, in the given order; of the others nothing is asked.
    ///
    /// # Errors
    /// As [`Table::conform`].
    ///
    /// # Panics
    /// When a name is no column of the table.
    pub fn conform_columns(
        &self,
        batch: &RecordBatch,
        names: &[&str],
        dictionaries: bool,
    ) -> Result<RecordBatch, ContractError> {
        let fields = names.iter().map(|name| {
            let column = self
                .column(name)
                .expect("the names are columns of the table");
            column.field(if dictionaries {
                column.scan_type()
            } else {
                column.kind.data_type()
            })
        });
        self.conform_to(batch, &Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }

    fn conform_to(
        &self,
        batch: &RecordBatch,
        schema: &SchemaRef,
    ) -> Result<RecordBatch, ContractError> {
        let columns: Result<Vec<ArrayRef>, ContractError> = schema
            .fields()
            .iter()
            .map(|field| {
                let column = self
                    .column(field.name())
                    .expect("the schema was made of the table's columns");
                self.conform_column(batch, column, field.data_type())
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(
            RecordBatch::try_new_with_options(Arc::clone(schema), columns?, &options)
                .expect("every column was just brought into the schema's type"),
        )
    }

    fn conform_column(
        &self,
        batch: &RecordBatch,
        column: &Column,
        data_type: &DataType,
    ) -> Result<ArrayRef, ContractError> {
        let problem = |problem: String| ContractError {
            table: self.name,
            column: column.name,
            problem,
        };
        let Some(found) = batch.column_by_name(column.name) else {
            return if column.nullable {
                Ok(new_null_array(data_type, batch.num_rows()))
            } else {
                Err(problem("is required and absent".to_owned()))
            };
        };
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let array = if found.data_type() == data_type {
            Arc::clone(found)
        } else {
            cast_with_options(found, data_type, &options).map_err(|error| {
                problem(format!(
                    "is {}, not {}: {error}",
                    found.data_type(),
                    column.kind.name()
                ))
            })?
        };
        if !column.nullable && array.null_count() > 0 {
            return Err(problem(format!(
                "holds {} nulls and is required",
                array.null_count()
            )));
        }
        Ok(array)
    }
}

/// Declares a table once: its contract `TABLE`, its `Row`, its `Builder` and its `rows` reader.
///
/// ```text
/// table! {
///     /// What a row is.
///     "name", version 1, sorted by ["tenant_uid"];
///     Row<'a> {
///         /// What the column means.
///         tenant_uid: Cow<'a, str>, repeats;
///         /// What the figure means.
///         score_micro: i64, unit "micro";
///     }
/// }
/// ```
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        $name:literal, version $version:literal, sorted by [$($sort:literal),*];
        Row $(<$lt:lifetime>)? {
            $(
                $(#[doc = $column_doc:literal])+
                $column:ident : $type:ty $(, $property:ident $($unit:literal)?)? ;
            )*
        }
    ) => {
        $(#[doc = $doc])+
        ///
        /// One row of the table; the columns are its fields in order.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Row $(<$lt>)? {
            $( $(#[doc = $column_doc])+ pub $column: $type, )*
        }

        /// The table's written contract.
        pub static TABLE: $crate::contract::Table = contract();

        // A function, so that the row's lifetime has a place to be declared.
        const fn contract $(<$lt>)? () -> $crate::contract::Table {
            $crate::contract::Table {
                name: $name,
                version: $version,
                doc: concat!($($doc, "\n"),+),
                sorted_by: &[$($sort),*],
                columns: $crate::contract::columns_of! {
                    $( stringify!($column), $type, [$($property $($unit)?)?], concat!($($column_doc),+); )*
                },
            }
        }

        /// Grows a batch of the table row by row.
        #[derive(Debug)]
        pub struct Builder {
            columns: Vec<$crate::cell::ColumnBuilder>,
            len: usize,
        }

        impl Default for Builder {
            fn default() -> Self {
                Self::with_capacity(1024)
            }
        }

        impl Builder {
            /// A builder with room for so many rows.
            pub fn with_capacity(rows: usize) -> Self {
                let columns = TABLE
                    .columns
                    .iter()
                    .map(|column| $crate::cell::ColumnBuilder::with_capacity(column.kind, rows))
                    .collect();
                Self { columns, len: 0 }
            }

            /// Appends one row.
            pub fn append(&mut self, row: &Row) {
                let mut columns = self.columns.iter_mut();
                $(
                    $crate::cell::Cell::append(
                        &row.$column,
                        columns.next().expect("a builder has a column for every field"),
                    );
                )*
                self.len += 1;
            }

            /// Rows appended since the last [`Builder::finish`].
            pub fn len(&self) -> usize {
                self.len
            }

            /// Whether no row was appended since the last [`Builder::finish`].
            pub fn is_empty(&self) -> bool {
                self.len == 0
            }

            /// The rows so far as a batch of [`Table::file_schema`](crate::contract::Table::file_schema);
            /// the builder is empty afterwards.
            pub fn finish(&mut self) -> arrow::array::RecordBatch {
                self.len = 0;
                let columns = self.columns.iter_mut().map($crate::cell::ColumnBuilder::finish).collect();
                arrow::array::RecordBatch::try_new(TABLE.file_schema(), columns)
                    .expect("a builder's columns have the contract's types")
            }
        }

        /// All rows as one batch of [`Table::file_schema`](crate::contract::Table::file_schema).
        pub fn batch<'r, $($lt: 'r)?>(
            rows: impl IntoIterator<Item = &'r Row $(<$lt>)?>,
        ) -> arrow::array::RecordBatch {
            let rows = rows.into_iter();
            // Most batches made of rows at hand are small: room for a thousand would be most of them.
            let mut builder = Builder::with_capacity(rows.size_hint().0);
            for row in rows {
                builder.append(row);
            }
            builder.finish()
        }

        $crate::contract::rows_of! { [$($lt)?] $($column: $type),* }
    };
}
pub(crate) use table;

macro_rules! columns_of {
    ($($name:expr, $type:ty, [$($property:tt)*], $doc:expr;)*) => {
        const {
            &[
                $($crate::contract::Column {
                    name: $name,
                    kind: <$type as $crate::cell::Cell<'_>>::KIND,
                    nullable: <$type as $crate::cell::Cell<'_>>::NULLABLE,
                    repeats: $crate::contract::repeats!($($property)*),
                    unit: $crate::contract::unit!($($property)*),
                    doc: $doc,
                },)*
            ]
        }
    };
}
pub(crate) use columns_of;

// A column has at most one property: it repeats, or it is a figure with a unit.
macro_rules! repeats {
    (repeats) => {
        true
    };
    ($($other:tt)*) => {
        false
    };
}
pub(crate) use repeats;

macro_rules! unit {
    (unit $unit:literal) => {
        $unit
    };
    ($($other:tt)*) => {
        ""
    };
}
pub(crate) use unit;

macro_rules! rows_of {
    ([] $($column:ident: $type:ty),*) => {
        /// The rows of anybody's batch, brought into the contract first.
        ///
        /// # Errors
        /// As [`Table::conform`](crate::contract::Table::conform).
        pub fn rows(
            batch: &arrow::array::RecordBatch,
        ) -> Result<Vec<Row>, $crate::contract::ContractError> {
            let batch = TABLE.conform(batch)?;
            Ok((0..batch.num_rows())
                .map(|row| {
                    let mut columns = batch.columns().iter();
                    Row {
                        $($column: <$type as $crate::cell::Cell<'_>>::read(
                            columns.next().expect("a conformed batch has every column"),
                            row,
                        ),)*
                    }
                })
                .collect())
        }
    };
    ([$lt:lifetime] $($column:ident: $type:ty),*) => {
        /// One row of a batch that was brought into the contract with
        /// [`Table::conform`](crate::contract::Table::conform); text is borrowed.
        pub fn row<$lt>(conformed: &$lt arrow::array::RecordBatch, row: usize) -> Row<$lt> {
            let mut columns = conformed.columns().iter();
            Row {
                $($column: <$type as $crate::cell::Cell<$lt>>::read(
                    columns.next().expect("a conformed batch has every column"),
                    row,
                ),)*
            }
        }
    };
}
pub(crate) use rows_of;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, LargeStringArray, RecordBatch, StringArray, StringViewArray,
        TimestampMicrosecondArray,
    };
    use arrow::compute::cast;
    use arrow::datatypes::DataType;

    use crate::cell::Target;
    use crate::tables::{self, attack_signals, identity_events};
    use crate::time::UtcMillis;

    fn foreign_signals(text: impl Fn(&str) -> ArrayRef) -> RecordBatch {
        let time = TimestampMicrosecondArray::from(vec![1_700_000_000_123_456]);
        RecordBatch::try_from_iter([
            ("tenant_uid", text("acme")),
            ("signal_uid", text("s1")),
            ("time", Arc::new(time) as ArrayRef),
            ("subject_email", text("joe@example.com")),
            ("component", text("email")),
            ("family", text("phishing")),
            ("level", text("high")),
            ("rule_id", text("r1")),
            ("source", text("gateway")),
            ("a_column_of_their_own", text("x")),
        ])
        .unwrap()
    }

    #[test]
    fn any_string_type_and_time_unit_is_read() {
        let dictionary = DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8));
        let writers: [&dyn Fn(&str) -> ArrayRef; 4] = [
            &|text| Arc::new(StringArray::from(vec![text])),
            &|text| Arc::new(LargeStringArray::from(vec![text])),
            &|text| Arc::new(StringViewArray::from(vec![text])),
            &|text| cast(&StringArray::from(vec![text]), &dictionary).unwrap(),
        ];
        for writer in writers {
            let batch = attack_signals::TABLE
                .conform(&foreign_signals(writer))
                .unwrap();
            let row = attack_signals::row(&batch, 0);
            assert_eq!(row.time, UtcMillis(1_700_000_000_123));
            assert_eq!(row.subject_email.as_deref(), Some("joe@example.com"));
            assert_eq!(row.subject_uid, None);
            let scan = attack_signals::TABLE
                .conform_for_scan(&foreign_signals(writer))
                .unwrap();
            assert_eq!(scan.schema(), attack_signals::TABLE.scan_schema());
        }
    }

    #[test]
    fn an_absent_required_column_is_named() {
        let batch = foreign_signals(|text| Arc::new(StringArray::from(vec![text])));
        let kept: Vec<usize> = (0..batch.num_columns()).filter(|&i| i != 6).collect();
        let error = attack_signals::TABLE
            .conform(&batch.project(&kept).unwrap())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "column level of attack_signals: is required and absent"
        );
    }

    #[test]
    fn nested_cells_come_back_as_they_went_in() {
        let empty = RecordBatch::new_empty(identity_events::TABLE.file_schema());
        assert_eq!(empty.num_rows(), 0);
        let text = |text: &'static str| Cow::Borrowed(text);
        let mut row = sample_event();
        row.targets = Some(vec![Target {
            uid: Some(text("00u1")),
            kind: Some(text("User")),
            name: None,
            display_name: Some(text("Ana")),
        }]);
        row.debug_data = Some(vec![(text("risk"), text("{level=LOW}"))]);
        row.risk_reasons = Some(vec![text("a, b"), text("c")]);
        let batch = identity_events::batch([&row]);
        assert_eq!(identity_events::row(&batch, 0), row);
        assert_eq!(identity_events::TABLE.conform(&batch).unwrap(), batch);
    }

    #[test]
    fn column_names_are_unique_and_documented() {
        for table in tables::ALL {
            let mut names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
            assert!(
                table.columns.iter().all(|column| column.doc.len() > 3),
                "{}",
                table.name
            );
            for column in table.sorted_by {
                assert!(table.column(column).is_some(), "{}.{column}", table.name);
            }
        }
    }

    fn sample_event() -> identity_events::Row<'static> {
        // A required text is one letter, a required figure zero, everything else null.
        let columns = identity_events::TABLE.columns;
        let schema = identity_events::TABLE.file_schema();
        let arrays = columns.iter().zip(schema.fields()).map(|(column, field)| {
            if column.nullable {
                return arrow::array::new_null_array(field.data_type(), 1);
            }
            match field.data_type() {
                DataType::Utf8 => Arc::new(StringArray::from(vec!["x"])) as ArrayRef,
                other => cast(&arrow::array::Int64Array::from(vec![0]), other).unwrap(),
            }
        });
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect()).unwrap();
        let batch: &'static RecordBatch = Box::leak(Box::new(batch));
        identity_events::row(batch, 0)
    }
}
