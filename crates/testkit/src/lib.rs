//! What tests of several crates share: an oracle and generators. Never published.
//!
//! The [`oracle()`](oracle::oracle) computes the attack factor row by row from the text of the
//! formula, slowly and plainly, and shares no code with the kernels it judges. The
//! [generators](generate) make small organizations full of everything that goes wrong in real
//! data. A differential test draws an organization, gives it to kernel and oracle, and compares
//! with `==`:
//!
//! ```
//! use af_testkit::generate::{self, Size};
//! use af_testkit::oracle::oracle;
//!
//! let input = generate::organization(7, Size { people: 30, signals: 200 });
//! let batches = generate::to_batches(&input.signals, 7);
//! let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
//! assert_eq!(rows, 200);
//!
//! let tenants = oracle(&input);
//! assert!(tenants.values().all(|tenant| tenant.account.closes()));
//! let read: u64 = tenants.values().map(|tenant| tenant.account.signals_read).sum();
//! assert_eq!(read, 200);
//! ```
//!
//! What it does not do: no reading of events, no rules, no files; its input are signals and people.

pub mod generate;
pub mod oracle;
