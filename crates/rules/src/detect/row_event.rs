//! A row of a batch as the event that rsigma asks about its fields.

use std::borrow::Cow;
use std::cell::OnceCell;

use rsigma_eval::{Event, EventValue, JsonEvent};
use serde_json::Value;

use crate::columns::field::{DEBUG_PREFIX, entry};
use crate::columns::frame::Frame;
use crate::columns::render::{TARGET, TARGET_PARTS, render_row};

/// One row. A plain field and the targets are read from their columns when they are asked for; the
/// whole row is written as JSON only for what nobody asks on a hot path: lists, objects, keywords.
pub(crate) struct RowEvent<'a> {
    frame: &'a Frame,
    row: usize,
    whole: OnceCell<Value>,
}

impl<'a> RowEvent<'a> {
    pub(crate) fn new(frame: &'a Frame, row: usize) -> Self {
        Self {
            frame,
            row,
            whole: OnceCell::new(),
        }
    }

    fn whole(&self) -> JsonEvent<'_> {
        JsonEvent::borrow(self.whole.get_or_init(|| render_row(self.frame, self.row)))
    }

    /// The targets as objects, as [`render_row`] writes them; none when there is none.
    fn targets(&self) -> Option<EventValue<'_>> {
        let targets: Vec<EventValue<'_>> = self
            .frame
            .targets_of_row(self.row)
            .map(|texts| {
                let parts = TARGET_PARTS.iter().zip(texts);
                let present = parts.filter_map(|(part, text)| {
                    let text = EventValue::Str(Cow::Borrowed(text?));
                    Some((Cow::Borrowed(*part), text))
                });
                EventValue::Map(present.collect())
            })
            .collect();
        (!targets.is_empty()).then_some(EventValue::Array(targets))
    }
}

impl Event for RowEvent<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        if path == TARGET {
            return self.targets();
        }
        if let Some(entry) = entry(path).filter(|entry| entry.is_plain()) {
            return self.frame.entry_column(entry).value(self.row);
        }
        if let Some(key) = path.strip_prefix(DEBUG_PREFIX)
            && !key.contains(['.', '[', '\\'])
        {
            let found = self.frame.details().find(self.row, key);
            return found.map(|text| EventValue::Str(Cow::Borrowed(text)));
        }
        self.whole().get_field(path).map(owned)
    }

    fn any_string_value(&self, holds: &dyn Fn(&str) -> bool) -> bool {
        self.whole().any_string_value(holds)
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        let whole = self.whole();
        let texts = whole.all_string_values().into_iter();
        texts.map(|text| Cow::Owned(text.into_owned())).collect()
    }

    fn to_json(&self) -> Value {
        self.whole().to_json()
    }
}

/// A value that borrows nothing.
fn owned(value: EventValue<'_>) -> EventValue<'static> {
    match value {
        EventValue::Str(text) => EventValue::Str(Cow::Owned(text.into_owned())),
        EventValue::Int(number) => EventValue::Int(number),
        EventValue::Float(number) => EventValue::Float(number),
        EventValue::Bool(flag) => EventValue::Bool(flag),
        EventValue::Null => EventValue::Null,
        EventValue::Array(items) => EventValue::Array(items.into_iter().map(owned).collect()),
        EventValue::Map(entries) => EventValue::Map(
            entries
                .into_iter()
                .map(|(key, value)| (Cow::Owned(key.into_owned()), owned(value)))
                .collect(),
        ),
    }
}
