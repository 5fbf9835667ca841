//! From YAML to checked, compiled rules.

pub(crate) mod block;
pub(crate) mod compile;
pub(crate) mod head;
pub(crate) mod load;
pub(crate) mod sample;
pub(crate) mod shipped;
pub(crate) mod validate;
