//! Between the configuration and the network: which integrations are meant ([`integrations`]), where
//! secrets come from ([`secret`]), how a client is made of both ([`connect`]), the runtime and the
//! signals ([`network`]), who watches ([`watch`]), when an inventory is due ([`due`]), and fetching side
//! by side ([`fetch`]).
//!
//! The client's crate reads neither the environment nor the clock; both are read here.

pub(crate) mod connect;
pub(crate) mod due;
pub(crate) mod fetch;
pub(crate) mod integrations;
pub(crate) mod network;
pub(crate) mod secret;
pub(crate) mod side_by_side;
pub(crate) mod spans;
pub(crate) mod watch;
