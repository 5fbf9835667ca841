//! Small organizations full of what goes wrong in real data.
//!
//! An organization is grown from dice: a few bytes a person, a signal, a retraction. Zeros mean the
//! plain case, so that proptest, which shrinks bytes towards zero and lists towards nothing, ends
//! at the plainest organization that still fails. The same dice give the same organization.

mod batches;
mod dice;
mod organization;
mod people;
mod retractions;
mod signals;

pub use batches::{shuffled, to_batches};
pub use dice::Random;
pub use organization::{Size, Sketch, organization, organizations, sketches};
pub use people::person;
