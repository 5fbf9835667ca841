//! The tables that counts are written as.

use std::sync::Arc;

use af_count::{CountedBlock, Feed, TenantCounts, Unmatched};
use af_model::accounting::SignalAccount;
use arrow::array::{
    ArrayRef, Int32Builder, Int64Builder, ListBuilder, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field};

use super::numbers::{BlockKind, Numbers, narrow};

/// Rows of one table as the columns of a batch.
pub(super) trait Columns: Default {
    type Row<'r>;

    fn fields() -> Vec<Field>;

    fn push(&mut self, row: Self::Row<'_>, numbers: &mut Numbers);

    /// The columns of the rows pushed since the last call.
    fn take(&mut self) -> Vec<ArrayRef>;
}

fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

/// What figures are made of: as little a block as can be, because most of what is kept is blocks.
#[derive(Default)]
pub(super) struct Blocks {
    user_uids: StringBuilder,
    kinds: UInt32Builder,
    n: UInt64Builder,
    /// Milliseconds since the start of the block's day.
    first: UInt32Builder,
    last: UInt32Builder,
}

impl Columns for Blocks {
    /// With the id of the person.
    type Row<'r> = (&'r CountedBlock, &'r str);

    fn fields() -> Vec<Field> {
        vec![
            required("user_uid", DataType::Utf8),
            required("kind", DataType::UInt32),
            required("n", DataType::UInt64),
            required("first", DataType::UInt32),
            required("last", DataType::UInt32),
        ]
    }

    fn push(&mut self, (block, user_uid): Self::Row<'_>, numbers: &mut Numbers) {
        let in_day = |at: af_model::UtcMillis| {
            u32::try_from(at.0 - block.day.start().0).expect("a block's signals are of its day")
        };
        self.user_uids.append_value(user_uid);
        self.kinds.append_value(numbers.kind(block));
        self.n.append_value(block.n);
        self.first.append_value(in_day(block.first_time));
        self.last.append_value(in_day(block.last_time));
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.user_uids.finish()),
            Arc::new(self.kinds.finish()),
            Arc::new(self.n.finish()),
            Arc::new(self.first.finish()),
            Arc::new(self.last.finish()),
        ]
    }
}

/// The signals behind blocks, row by row.
#[derive(Default)]
pub(super) struct Details {
    signal_uids: ListBuilder<StringBuilder>,
}

impl Columns for Details {
    type Row<'r> = &'r CountedBlock;

    fn fields() -> Vec<Field> {
        let item = Field::new("item", DataType::Utf8, true);
        vec![Field::new_list("signal_uids", item, false)]
    }

    fn push(&mut self, block: Self::Row<'_>, _: &mut Numbers) {
        for uid in block.signal_uids.iter() {
            self.signal_uids.values().append_value(uid);
        }
        self.signal_uids.append(true);
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.signal_uids.finish())]
    }
}

/// Signals of nobody.
#[derive(Default)]
pub(super) struct Nobodys {
    /// Reason, source, component, family, level and rule.
    names: [UInt32Builder; 6],
    days: Int32Builder,
    n: UInt64Builder,
    hashes: StringBuilder,
}

impl Columns for Nobodys {
    type Row<'r> = &'r Unmatched;

    fn fields() -> Vec<Field> {
        let names = [
            "reason",
            "source",
            "component",
            "family",
            "level",
            "rule_id",
        ];
        let mut fields: Vec<Field> = names.map(|name| required(name, DataType::UInt32)).into();
        fields.extend([
            required("day", DataType::Int32),
            required("n", DataType::UInt64),
            Field::new("subject_hash", DataType::Utf8, true),
        ]);
        fields
    }

    fn push(&mut self, row: Self::Row<'_>, numbers: &mut Numbers) {
        let names = [
            numbers.text(row.reason.as_str()),
            numbers.shared(&row.source),
            numbers.shared(&row.component),
            numbers.shared(&row.family),
            narrow(row.level.slot()),
            numbers.shared(&row.rule_id),
        ];
        for (builder, number) in self.names.iter_mut().zip(names) {
            builder.append_value(number);
        }
        self.days.append_value(row.day.0);
        self.n.append_value(row.n);
        self.hashes.append_option(row.subject_hash.as_deref());
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        let mut columns = numbered(&mut self.names);
        columns.push(Arc::new(self.days.finish()));
        columns.push(Arc::new(self.n.finish()));
        columns.push(Arc::new(self.hashes.finish()));
        columns
    }
}

/// Columns of [`Tenants`] behind its account.
const OF_TENANT: [&str; 3] = ["conflicts", "blocks_end", "unmatched_end"];

/// Accounts, and where the rows of tenants end.
#[derive(Default)]
pub(super) struct Tenants {
    names: StringBuilder,
    account: [UInt64Builder; SignalAccount::NUMBERS],
    figures: [UInt64Builder; OF_TENANT.len()],
}

/// Where the rows of a tenant end.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub(super) blocks: u64,
    pub(super) unmatched: u64,
}

impl Columns for Tenants {
    type Row<'r> = (&'r str, &'r TenantCounts, Ends);

    fn fields() -> Vec<Field> {
        let numbers = SignalAccount::NAMES.into_iter().chain(OF_TENANT);
        let numbers = numbers.map(|name| required(name, DataType::UInt64));
        let name = required("name", DataType::Utf8);
        std::iter::once(name).chain(numbers).collect()
    }

    fn push(&mut self, (name, counts, ends): Self::Row<'_>, _: &mut Numbers) {
        self.names.append_value(name);
        for (builder, number) in self.account.iter_mut().zip(counts.account.numbers()) {
            builder.append_value(number);
        }
        let figures = [counts.conflicts, ends.blocks, ends.unmatched];
        for (builder, figure) in self.figures.iter_mut().zip(figures) {
            builder.append_value(figure);
        }
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.names.finish())];
        for built in self.account.iter_mut().chain(&mut self.figures) {
            columns.push(Arc::new(built.finish()));
        }
        columns
    }
}

/// What was heard of components of tenants.
#[derive(Default)]
pub(super) struct Feeds {
    /// Place of the tenant, component, and list of integrations.
    names: [UInt32Builder; 3],
    first: Int64Builder,
    last: Int64Builder,
    scored: UInt64Builder,
}

impl Columns for Feeds {
    /// With the place of the tenant and the component.
    type Row<'r> = (u32, &'r str, &'r Feed);

    fn fields() -> Vec<Field> {
        let mut fields: Vec<Field> = ["tenant", "component", "integrations"]
            .map(|name| required(name, DataType::UInt32))
            .into();
        fields.extend([
            Field::new("first", DataType::Int64, true),
            Field::new("last", DataType::Int64, true),
            required("scored", DataType::UInt64),
        ]);
        fields
    }

    fn push(&mut self, (tenant, component, feed): Self::Row<'_>, numbers: &mut Numbers) {
        let integrations = feed.integrations.iter().map(String::as_str);
        let names = [tenant, numbers.text(component), numbers.list(integrations)];
        for (builder, number) in self.names.iter_mut().zip(names) {
            builder.append_value(number);
        }
        self.first.append_option(feed.first.map(|at| at.0));
        self.last.append_option(feed.last.map(|at| at.0));
        self.scored.append_value(feed.scored);
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        let mut columns = numbered(&mut self.names);
        columns.push(Arc::new(self.first.finish()));
        columns.push(Arc::new(self.last.finish()));
        columns.push(Arc::new(self.scored.finish()));
        columns
    }
}

/// What blocks have in common.
#[derive(Default)]
pub(super) struct Kinds {
    /// Component, family, level and rules.
    names: [UInt32Builder; 4],
    days: Int32Builder,
}

impl Columns for Kinds {
    type Row<'r> = BlockKind;

    fn fields() -> Vec<Field> {
        let mut fields: Vec<Field> = ["component", "family", "level", "rules"]
            .map(|name| required(name, DataType::UInt32))
            .into();
        fields.push(required("day", DataType::Int32));
        fields
    }

    fn push(&mut self, kind: Self::Row<'_>, _: &mut Numbers) {
        let level = narrow(kind.level.slot());
        let names = [kind.component, kind.family, level, kind.rules];
        for (builder, number) in self.names.iter_mut().zip(names) {
            builder.append_value(number);
        }
        self.days.append_value(kind.day.0);
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        let mut columns = numbered(&mut self.names);
        columns.push(Arc::new(self.days.finish()));
        columns
    }
}

fn numbered(names: &mut [UInt32Builder]) -> Vec<ArrayRef> {
    let names = names.iter_mut();
    names
        .map(|built| Arc::new(built.finish()) as ArrayRef)
        .collect()
}
