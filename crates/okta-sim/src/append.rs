//! Adding events to a running org.

use std::sync::Arc;

use af_model::UtcMillis;
use serde_json::Value;

use crate::log::{self, Added};
use crate::org::Org;
use crate::random::Random;
use crate::stats::Stats;

impl Org {
    /// Adds events, which can be seen from an instant on; none = now. An event without `published`
    /// happens now, one without `uuid` gets one.
    ///
    /// # Errors
    /// One is no JSON object, or its `published` no instant; then none is added.
    pub(crate) fn append(&self, events: Vec<Value>, seen_at: Option<i64>) -> Result<(), String> {
        let mut added = Vec::with_capacity(events.len());
        for (number, mut event) in events.into_iter().enumerate() {
            let now = self.clock.now();
            let invalid = |what: &str| format!("event {} {what}", number + 1);
            let Value::Object(object) = &mut event else {
                return Err(invalid("is no JSON object"));
            };
            if !object.contains_key("published") {
                object.insert("published".to_owned(), UtcMillis(now).to_string().into());
            }
            if !object.contains_key("uuid") {
                let mut random = Random::of(now.cast_unsigned(), &format!("added {number}"));
                let (high, low) = (random.next_u64(), random.next_u64());
                let uuid = format!(
                    "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                    high >> 32,
                    high >> 16 & 0xffff,
                    high & 0xfff,
                    low >> 52,
                    low & 0xffff_ffff_ffff,
                );
                object.insert("uuid".to_owned(), uuid.into());
            }
            let json = event.to_string().into_bytes();
            let published =
                log::published(&json).ok_or_else(|| invalid("has no instant `published`"))?;
            added.push((published, Arc::from(json)));
        }
        self.store.append(|| {
            let now = self.clock.now();
            let persisted = seen_at.unwrap_or(now).max(now);
            added
                .into_iter()
                .map(|(published, json)| Added {
                    published,
                    persisted,
                    json,
                })
                .collect()
        });
        Ok(())
    }

    /// What happened so far.
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            faults: self.faults.struck(),
            ..self.counters.stats()
        }
    }
}
