//! What days say of tenants besides rows, added up.

use af_count::{Counted, TenantCounts};
use af_model::UtcMillis;
use af_model::accounting::SignalAccount;
use arrow::array::{Array, Int64Array};

use super::stream::{all, i64s, u32s, u64s};
use super::{Kept, Piece};

impl Kept {
    /// Adds all but blocks and signals of nobody to what other days say. `None` when the bytes are not
    /// what was written.
    pub(in crate::tally) fn add_sums(&self, sums: &mut Counted) -> Option<()> {
        sums.latest_ingested = sums.latest_ingested.max(self.names.latest_ingested);
        let mut feeds = self.feeds()?.into_iter().peekable();
        // Both are in the order of names, and day after day the tenants are mostly the same.
        let mut known = sums.tenants.iter_mut().peekable();
        let mut others = Vec::new();
        let tenants = &self.tenants;
        for place in 0..tenants.names.len() {
            let name = tenants.names.value(place);
            while known.next_if(|(known, _)| known.as_str() < name).is_some() {}
            let mut new = TenantCounts::default();
            let of_known = known.next_if(|(known, _)| *known == name);
            let is_new = of_known.is_none();
            let counts = of_known.map_or(&mut new, |(_, counts)| counts);
            let account = tenants.account.each_ref().map(|part| part.value(place));
            counts.account += SignalAccount::from_numbers(account);
            counts.conflicts += tenants.conflicts.value(place);
            while let Some(heard) = feeds.next_if(|heard| heard.tenant as usize == place) {
                let integrations = heard.integrations.iter();
                let integrations = integrations.map(|&number| &*self.names.texts[number as usize]);
                let times = (heard.first, heard.last);
                counts.hear(heard.component, times, heard.scored, integrations);
            }
            if is_new {
                others.push((name.to_owned(), new));
            }
        }
        sums.tenants.extend(others);
        feeds.next().is_none().then_some(())
    }

    /// What was heard of components, tenant by tenant.
    fn feeds(&self) -> Option<Vec<HeardOf<'_>>> {
        let mut feeds = Vec::new();
        for batch in all(&self.pieces, Piece::Feeds)? {
            let (tenants, components) = (u32s(&batch, "tenant")?, u32s(&batch, "component")?);
            let integrations = u32s(&batch, "integrations")?;
            let (first, last) = (i64s(&batch, "first")?, i64s(&batch, "last")?);
            let scored = u64s(&batch, "scored")?;
            for row in 0..batch.num_rows() {
                let at = |column: &Int64Array| {
                    column.is_valid(row).then(|| UtcMillis(column.value(row)))
                };
                feeds.push(HeardOf {
                    tenant: tenants.value(row),
                    component: self.names.texts.get(components.value(row) as usize)?,
                    integrations: self.names.lists.get(integrations.value(row) as usize)?,
                    first: at(first),
                    last: at(last),
                    scored: scored.value(row),
                });
            }
        }
        Some(feeds)
    }
}

/// One row of feeds.
struct HeardOf<'k> {
    /// The tenant's place.
    tenant: u32,
    component: &'k str,
    integrations: &'k [u32],
    first: Option<UtcMillis>,
    last: Option<UtcMillis>,
    scored: u64,
}
