//! The attack factor computed the slow and obvious way, as the judge of the fast way.
//!
//! Written from the text of `docs/formula.md` alone: one signal after the other, one person after the
//! other, sums written out, big numbers where the formula asks for big numbers. [`admit`] is its
//! §2.1 and §5, [`people`] its §3, [`collapse`] its §2.2 and 2.3, [`arithmetic`] its constants,
//! saturation and decay, [`score`] its §2.6 to 2.10, [`attribution`] its §2.11.
//!
//! Where the text leaves a choice, the function that makes it says so.

pub mod admit;
pub mod arithmetic;
pub mod attribution;
pub mod collapse;
mod input;
mod output;
pub mod people;
mod run;
pub mod score;

pub use input::{OracleInput, OracleSignal};
pub use output::{OracleBlock, OracleBucket, OracleComponent, OracleTenant, OracleUser};
pub use run::oracle;
