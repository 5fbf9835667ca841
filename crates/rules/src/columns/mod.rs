//! Events as columns: what rules may ask of them, and the answers.

pub(crate) mod codes;
pub(crate) mod field;
pub(crate) mod frame;
pub(crate) mod groups;
pub(crate) mod memo;
pub(crate) mod own_network;
pub(crate) mod render;
pub(crate) mod rows;
