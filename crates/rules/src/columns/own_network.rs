//! Whether an event comes from a network of the organization's own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, BooleanBufferBuilder, StringArray};
use hashbrown::HashMap;

use crate::columns::frame::Frame;
use crate::set::network::Network;

/// The networks that are somebody's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnNetworks {
    by_tenant: Arc<BTreeMap<String, Vec<Network>>>,
    of_anybody: Arc<Vec<Network>>,
}

impl OwnNetworks {
    pub(crate) fn of_tenants(by_tenant: BTreeMap<String, Vec<Network>>) -> Self {
        Self {
            by_tenant: Arc::new(by_tenant),
            ..Self::default()
        }
    }

    /// The same networks for every tenant.
    pub(crate) fn of_anybody(networks: Vec<Network>) -> Self {
        Self {
            of_anybody: Arc::new(networks),
            ..Self::default()
        }
    }

    pub(crate) fn by_tenant(&self) -> impl ExactSizeIterator<Item = (&str, &[Network])> {
        let tenants = self.by_tenant.iter();
        tenants.map(|(tenant, networks)| (tenant.as_str(), networks.as_slice()))
    }

    fn of(&self, tenant: Option<&str>) -> &[Network] {
        let own = tenant.and_then(|tenant| self.by_tenant.get(tenant));
        own.unwrap_or(&self.of_anybody)
    }

    /// One flag for every row; false where there is no address or no network. Each address is read
    /// once, and held against each tenant's networks once.
    pub(crate) fn of_rows(&self, frame: &Frame) -> BooleanArray {
        let mut flags = BooleanBufferBuilder::new(frame.len());
        flags.append_n(frame.len(), false);
        if !self.by_tenant.is_empty() || !self.of_anybody.is_empty() {
            let (tenant_keys, tenants) = frame.dictionary("tenant_uid");
            let (keys, addresses) = frame.dictionary("src_endpoint_ip");
            let networks: Vec<&[Network]> = (0..tenants.len())
                .map(|place| self.of(text(tenants, place)))
                .collect();
            let mut known: HashMap<(i32, i32), bool> = HashMap::new();
            for row in 0..frame.len() {
                if keys.is_null(row) || tenant_keys.is_null(row) {
                    continue;
                }
                let pair = (tenant_keys.value(row), keys.value(row));
                let is_own = *known.entry(pair).or_insert_with(|| {
                    let place = |key: i32| usize::try_from(key).unwrap_or(usize::MAX);
                    let own = networks.get(place(pair.0)).copied().unwrap_or_default();
                    text(addresses, place(pair.1))
                        .and_then(|address| address.parse::<IpAddr>().ok())
                        .is_some_and(|address| own.iter().any(|network| network.contains(address)))
                });
                if is_own {
                    flags.set_bit(row, true);
                }
            }
        }
        BooleanArray::new(flags.finish(), None)
    }
}

fn text(values: &StringArray, place: usize) -> Option<&str> {
    (place < values.len() && values.is_valid(place)).then(|| values.value(place))
}
