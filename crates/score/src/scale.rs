//! The parameters as the arithmetic wants them: checked, unsigned, in micro.

use af_model::params::InvalidParams;
use af_model::{Level, Params};

/// Checked parameters of the formula, without the weights.
///
/// Existence is the proof that [`Params::check`] passed, and with it the bounds on which every
/// product of this crate relies: points at most 10^15 micro, lambda at most 10^12 micro, q at most
/// 10^3, kappa and cap at most 10^6, weights at most 10^6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    pub(crate) points_micro: [u64; 4],
    pub(crate) lambda: u128,
    pub(crate) lambda_micro: u128,
    pub(crate) q: u128,
    pub(crate) kappa: u128,
    pub(crate) cap: u128,
}

impl Scale {
    /// Checks the parameters and takes them over.
    ///
    /// # Errors
    /// [`InvalidParams`] names the first parameter out of range.
    pub fn new(params: &Params) -> Result<Self, InvalidParams> {
        params.check()?;
        // `check` has refused every negative value, so `unsigned_abs` changes none.
        let wide = |value: i64| u128::from(value.unsigned_abs());
        Ok(Self {
            points_micro: Level::DESCENDING.map(|level| params.points_micro(level).unsigned_abs()),
            lambda: wide(params.lambda),
            lambda_micro: wide(params.lambda_micro()),
            q: wide(params.q),
            kappa: wide(params.kappa),
            cap: wide(params.cap),
        })
    }
}

/// The weight of each component in per mille, 0 to 10^6, in the order given.
pub(crate) fn weights_permille(components: &[String], params: &Params) -> Vec<u64> {
    components
        .iter()
        .map(|component| params.weight_permille(component).unsigned_abs())
        .collect()
}
