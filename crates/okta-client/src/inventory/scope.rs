//! What a step needs to be allowed, for whoever asks from outside.

use af_okta::Step;

use super::plan::Plan;
use crate::scope::Scope;

/// The scope that a step of an inventory needs.
///
/// ```
/// use af_okta::Step;
/// use af_okta_client::{Scope, inventory::scope_of};
///
/// assert_eq!(scope_of(Step::Factors), Scope::UsersRead);
/// ```
pub fn scope_of(step: Step) -> Scope {
    Plan::of(step).scope
}
