//! What the parts of an input have in common: its tenants, its kinds of signals, and where the rows went that are
//! not counted further.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use af_model::UtcMillis;
use af_model::accounting::SignalAccount;
use hashbrown::HashMap;

use crate::counter::INVALID_TENANT;
use crate::interner::{Names, position};
use crate::kind::{KindIds, Kinds};
use crate::labels;
use crate::output::{Counted, TenantCounts};
use crate::part::{Decoded, Part};

/// Tenants and kinds of the whole input by their numbers.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) names: Names,
    kind_ids: KindIds,
    tenant_ids: HashMap<Option<String>, u32>,
    tenants: Vec<Tenant>,
    latest_ingested: Option<UtcMillis>,
}

/// A tenant of the input.
struct Tenant {
    /// `None` where the name is missing or invalid.
    name: Option<String>,
    /// What of its rows was not counted further.
    account: SignalAccount,
}

impl Ledger {
    /// Gives a part's tenants and kinds their input-wide ids, and accounts for what has no rows.
    pub(crate) fn adopt(&mut self, decoded: Decoded) -> Part {
        let Decoded {
            mut part,
            labels,
            tenants,
            kinds,
            latest_ingested,
        } = decoded;
        self.latest_ingested = self.latest_ingested.max(latest_ingested.map(UtcMillis));
        let tenants: Vec<u32> = tenants
            .into_iter()
            .map(|of_part| {
                let id = self.tenant_id(of_part.name);
                self.tenants[id as usize].account += of_part.account;
                id
            })
            .collect();
        let kinds: Vec<u32> = kinds
            .iter()
            .map(|kind| match kind.level {
                // No row is of a kind without a level.
                None => u32::MAX,
                Some(level) => {
                    let texts = labels::texts(&labels, kind.shown_by);
                    self.kind_ids.intern(texts, level, &mut self.names)
                }
            })
            .collect();
        for row in &mut part.rows {
            row.tenant = tenants[row.tenant as usize];
            row.kind = kinds[row.kind as usize];
        }
        part
    }

    /// All kinds of signals.
    pub(crate) fn kinds(&self) -> &Kinds {
        &self.kind_ids.kinds
    }

    /// How many tenants there are.
    pub(crate) fn tenants(&self) -> usize {
        self.tenants.len()
    }

    /// A tenant's name; of rows it is always a sound one.
    pub(crate) fn tenant(&self, id: u32) -> &str {
        let name = self.tenants[id as usize].name.as_deref();
        name.unwrap_or(INVALID_TENANT)
    }

    /// What was counted, by the names of tenants.
    pub(crate) fn named(
        &self,
        counted: impl IntoIterator<Item = (u32, TenantCounts)>,
    ) -> BTreeMap<String, TenantCounts> {
        let mut tenants: BTreeMap<String, TenantCounts> = BTreeMap::new();
        for (tenant, counts) in counted {
            // A tenant may really be named as those are whose name is none.
            match tenants.entry(self.tenant(tenant).to_owned()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(counts);
                }
                Entry::Occupied(known) => known.into_mut().absorb(counts),
            }
        }
        tenants
    }

    /// The accounts of what was not counted further, and when the latest row became known.
    pub(crate) fn rest(&self) -> Counted {
        let tenants = (0_u32..).zip(&self.tenants);
        let accounts = tenants
            .filter(|(_, tenant)| tenant.account != SignalAccount::default())
            .map(|(id, tenant)| {
                let counts = TenantCounts {
                    account: tenant.account,
                    ..TenantCounts::default()
                };
                (id, counts)
            });
        Counted {
            tenants: self.named(accounts),
            latest_ingested: self.latest_ingested,
        }
    }

    fn tenant_id(&mut self, name: Option<String>) -> u32 {
        let Self {
            tenant_ids,
            tenants,
            ..
        } = self;
        *tenant_ids.entry(name.clone()).or_insert_with(|| {
            tenants.push(Tenant {
                name,
                account: SignalAccount::default(),
            });
            position(tenants.len() - 1)
        })
    }
}
