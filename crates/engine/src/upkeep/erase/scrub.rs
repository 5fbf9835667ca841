//! Recognizing one person in a row, and taking their name out of other people's rows.
//!
//! A whole cell that is one of their keys is replaced. Inside a text, keys are replaced as words of
//! their own, whatever their case and through percent-encoding, JSON escapes and HTML entities
//! ([`Readings`]). A key that may be an ordinary word (`mark`, `17`) and a name that colleagues share
//! are looked for inside texts only where the row names the person elsewhere. A key inside a
//! colleague's longer one is not the person's.

use std::collections::BTreeSet;
use std::ops::Range;

use af_model::HashKey;
use af_model::key::{SubjectRef, normalize_key};
use af_okta::{Needle, Readings};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;

use super::arrays::edit_batch;
use super::{Identity, REPLACEMENT};

/// Cells that hold an identifier as a whole, never a text around one.
const WHOLE: [&str; 11] = [
    "subject_ref",
    "user_uid",
    "user_name",
    "actor_user_uid",
    "actor_user_name",
    "subject_uid",
    "subject_login",
    "subject_email",
    // Of a target.
    "uid",
    "name",
    "type",
];

/// Columns that tell rows apart or come from fixed lists.
const NEVER: [&str; 16] = [
    "tenant_uid",
    "integration",
    "metadata_uid",
    "metadata_product",
    "metadata_version",
    "metadata_event_code",
    "user_role",
    "attribution_method",
    "signal_uid",
    "component",
    "family",
    "level",
    "rule_id",
    "reject_uid",
    "target_uid",
    "target_kind",
];

/// Recognizes one person.
#[derive(Debug)]
pub(in crate::upkeep) struct Scrubber {
    tenant: String,
    uids: BTreeSet<String>,
    keys: BTreeSet<String>,
    hashes: BTreeSet<String>,
    /// Lower-cased names shown to people.
    names: BTreeSet<String>,
    /// What gives the person away in any text.
    strong: Vec<Needle>,
    /// What does so only beside a key.
    weak: Vec<Needle>,
    /// Longer keys of others.
    colleagues: Vec<Needle>,
}

/// How many rows of a table are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) removed: u64,
    pub(super) changed: u64,
}

impl Tally {
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl Scrubber {
    pub(in crate::upkeep) fn new(
        identity: &Identity,
        key: &HashKey,
        colleagues: &BTreeSet<String>,
    ) -> Self {
        let hashes = identity.hashes(key);
        let (mut strong, mut weak) = (BTreeSet::new(), BTreeSet::new());
        let keys = identity.keys().iter().chain(identity.spellings());
        for text in keys.chain(identity.uids()) {
            if gives_away(text) {
                strong.insert(text.clone());
            } else {
                weak.insert(text.clone());
            }
        }
        strong.extend(identity.distinct_names().iter().cloned());
        strong.extend(hashes.iter().map(|hash| format!("h:{hash}")));
        weak.extend(identity.names().iter().cloned());
        let needles = |texts: &BTreeSet<String>| {
            let mut found: Vec<Needle> =
                texts.iter().filter_map(|text| Needle::new(text)).collect();
            // Of two at one place the longer one counts.
            found.sort_by_key(|needle| std::cmp::Reverse(needle.folded().len()));
            found
        };
        Self {
            tenant: identity.tenant().to_owned(),
            uids: identity.uids().clone(),
            keys: identity.keys().clone(),
            names: identity
                .names()
                .iter()
                .map(|name| name.to_lowercase())
                .collect(),
            strong: needles(&strong),
            weak: needles(&weak),
            colleagues: needles(colleagues),
            hashes,
        }
    }

    pub(super) fn tenant(&self) -> &str {
        &self.tenant
    }

    pub(super) const fn uids(&self) -> &BTreeSet<String> {
        &self.uids
    }

    pub(super) const fn hashes(&self) -> &BTreeSet<String> {
        &self.hashes
    }

    /// Whether a cell is one of the person's keys, in any of the ways in which keys are written.
    pub(super) fn is_them(&self, text: &str) -> bool {
        if let Some(subject) = SubjectRef::parse(text) {
            let named = match &subject {
                SubjectRef::Uid(uid) => self.uids.contains(&**uid),
                SubjectRef::Login(key) | SubjectRef::Email(key) => self.keys.contains(&**key),
                SubjectRef::Hashed(hash) => self.hashes.contains(&**hash),
            };
            if named {
                return true;
            }
        }
        self.uids.contains(text) || self.keys.contains(&*normalize_key(text))
    }

    /// A text of no particular row without the person; `None` when it does not name them.
    pub(super) fn clean(&self, text: &str) -> Option<String> {
        self.text(text, false)
    }

    /// A text inside a larger one, of which nobody knows whether it is an identifier: an ordinary
    /// word that is also a key of theirs is left alone. `None` when it does not name them.
    pub(super) fn clean_inside(&self, text: &str) -> Option<String> {
        self.inside(text, false)
    }

    /// The same beside a key of theirs, where their name and an ordinary word mean them as well.
    pub(super) fn clean_beside_key(&self, text: &str) -> Option<String> {
        self.inside(text, true)
    }

    fn text(&self, text: &str, is_about_them: bool) -> Option<String> {
        if self.is_them(text) {
            return Some(REPLACEMENT.to_owned());
        }
        self.inside(text, is_about_them)
    }

    fn inside(&self, text: &str, is_about_them: bool) -> Option<String> {
        if is_about_them && self.names.contains(&text.to_lowercase()) {
            return Some(REPLACEMENT.to_owned());
        }
        if !is_about_them && !self.may_name(text) {
            return None;
        }
        let readings = Readings::of(text);
        let places = |needles: &[Needle]| -> Vec<Range<usize>> {
            let places = needles.iter().map(|needle| readings.places(needle, true));
            places.flatten().collect()
        };
        let mut cuts = places(&self.strong);
        if is_about_them {
            cuts.extend(places(&self.weak));
        }
        if cuts.is_empty() {
            return None;
        }
        let others = places(&self.colleagues);
        cuts.retain(|cut| {
            let is_inside = |other: &Range<usize>| other.start <= cut.start && cut.end <= other.end;
            !others.iter().any(is_inside)
        });
        cuts.sort_by_key(|cut| (cut.start, std::cmp::Reverse(cut.end)));
        let mut cleaned = String::with_capacity(text.len());
        let mut at = 0;
        for cut in &cuts {
            if cut.start >= at {
                cleaned.push_str(&text[at..cut.start]);
                cleaned.push_str(REPLACEMENT);
            }
            at = at.max(cut.end);
        }
        cleaned.push_str(&text[at..]);
        (!cuts.is_empty()).then_some(cleaned)
    }

    /// A quick look that spares nearly all texts the readings.
    fn may_name(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        if !text.is_ascii() || bytes.iter().any(|byte| b"%\\&".contains(byte)) {
            return true;
        }
        let lower = text.to_ascii_lowercase();
        self.strong
            .iter()
            .any(|needle| memchr::memmem::find(lower.as_bytes(), needle.folded()).is_some())
    }

    /// Rows of events without the person; `None` when nothing of them is in there.
    pub(in crate::upkeep) fn clean_events(&self, batch: &RecordBatch) -> Option<RecordBatch> {
        self.rows(
            batch,
            &["user_uid", "user_name", "subject_ref"],
            &mut Tally::default(),
        )
    }

    /// Takes the person out of a batch: rows of which they are the subject go, in all others of the
    /// tenant their name is replaced. `None` when nothing changed.
    ///
    /// `subject` are the columns that name a row's person, the user id first: where that is somebody
    /// else's, the others do not count.
    pub(super) fn rows(
        &self,
        batch: &RecordBatch,
        subject: &[&str],
        tally: &mut Tally,
    ) -> Option<RecordBatch> {
        let about = self.rows_about(batch, subject);
        tally.removed += about.len() as u64;
        let filtered = (!about.is_empty()).then(|| {
            let mut kept = vec![true; batch.num_rows()];
            for row in about {
                kept[row] = false;
            }
            filter_record_batch(batch, &BooleanArray::from(kept))
                .expect("the filter was made of the batch's own rows")
        });
        let left = filtered.as_ref().unwrap_or(batch);
        let edited = self.names_replaced(left, tally);
        edited.or(filtered)
    }

    /// The rows of which the person is the subject.
    pub(super) fn rows_about(&self, batch: &RecordBatch, subject: &[&str]) -> Vec<usize> {
        let subjects: Vec<&StringArray> = subject.iter().map(|name| texts(batch, name)).collect();
        let tenants = texts(batch, "tenant_uid");
        (0..batch.num_rows())
            .filter(|&row| tenants.value(row) == self.tenant && self.is_subject(&subjects, row))
            .collect()
    }

    fn is_subject(&self, subjects: &[&StringArray], row: usize) -> bool {
        let mut cells = subjects
            .iter()
            .map(|column| column.is_valid(row).then(|| column.value(row)));
        if let Some(uid) = cells.next().flatten() {
            return self.uids.contains(uid);
        }
        cells.flatten().any(|text| self.is_them(text))
    }

    /// Replaces the person's name in all rows of the tenant.
    fn names_replaced(&self, batch: &RecordBatch, tally: &mut Tally) -> Option<RecordBatch> {
        let tenants = texts(batch, "tenant_uid");
        let is_mine: Vec<bool> = (0..batch.num_rows())
            .map(|row| tenants.value(row) == self.tenant)
            .collect();
        let wanted = |name: &str| !NEVER.contains(&name);
        let mut is_about_them = vec![false; batch.num_rows()];
        edit_batch(batch, wanted, &mut |row, name, text| {
            if is_mine[row] && WHOLE.contains(&name) && self.is_them(text) {
                is_about_them[row] = true;
            }
            None
        });
        let mut is_changed = vec![false; batch.num_rows()];
        let edited = edit_batch(batch, wanted, &mut |row, name, text| {
            if !is_mine[row] || text.is_empty() {
                return None;
            }
            let new = if WHOLE.contains(&name) {
                self.is_them(text).then(|| REPLACEMENT.to_owned())
            } else {
                self.text(text, is_about_them[row])
            };
            is_changed[row] |= new.is_some();
            new
        });
        tally.changed += is_changed.iter().filter(|&&changed| changed).count() as u64;
        edited
    }
}

/// Whether a key is so much of its own that it gives a person away inside any text: an ordinary word
/// or a short number does not.
fn gives_away(key: &str) -> bool {
    let length = key.chars().count();
    let is_word = key.chars().all(char::is_alphabetic);
    let is_number = key.chars().all(|character| character.is_ascii_digit());
    length >= 4 && !is_word && (!is_number || length >= 6)
}

fn texts<'a>(batch: &'a RecordBatch, column: &str) -> &'a StringArray {
    batch
        .column_by_name(column)
        .expect("the table has the column")
        .as_string::<i32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber(colleagues: &[&str]) -> Scrubber {
        let mut joe = Identity::nobody("acme");
        joe.add(Some("00u1joe"), Some("Joe@Example.com"), Some("Joe Doe"));
        joe.add(None, Some("joe"), None);
        let colleagues = colleagues.iter().map(|&key| key.to_owned()).collect();
        Scrubber::new(&joe, &HashKey::new([7; 32]), &colleagues)
    }

    #[test]
    fn a_cell_that_is_a_key_is_them_in_every_spelling() {
        let joe = scrubber(&[]);
        for text in [
            "00u1joe",
            "JOE@example.COM",
            " joe ",
            "uid:00u1joe",
            "email:joe@example.com",
        ] {
            assert!(joe.is_them(text), "{text}");
        }
        let hash = HashKey::new([7; 32]).identifier("acme", "joe@example.com");
        assert!(joe.is_them(&format!("h:{hash}")));
        for text in [
            "00U1JOE",
            "uid:joe@example.com",
            "mary.joe@example.com",
            "joey",
            "",
        ] {
            assert!(!joe.is_them(text), "{text}");
        }
    }

    #[test]
    fn a_key_goes_from_any_text_and_encoding_and_other_words_stay() {
        let joe = scrubber(&["mary.joe@example.com"]);
        for (text, cleaned) in [
            ("User JOE@EXAMPLE.COM failed", "User erased failed"),
            ("/r?u=joe%40example.com&x=1", "/r?u=erased&x=1"),
            (r#"{"a":"joe\u0040example.com"}"#, r#"{"a":"erased"}"#),
            ("joe&#64;example.com", "erased"),
            ("export-joe@example.com.ndjson", "export-erased.ndjson"),
            ("00u1joe/00u1joex", "erased/00u1joex"),
        ] {
            assert_eq!(joe.clean(text).as_deref(), Some(cleaned), "{text}");
        }
        for text in [
            // Somebody else's longer key, another word, an ordinary word without a context.
            "mary.joe@example.com signed in",
            "anjoe@example.com",
            "Sloppy Joe of the canteen",
            "nothing%20here",
        ] {
            assert_eq!(joe.clean(text), None, "{text}");
        }
        let both = joe.clean("mary.joe@example.com and joe@example.com");
        assert_eq!(both.as_deref(), Some("mary.joe@example.com and erased"));
    }

    #[test]
    fn ordinary_words_go_only_where_the_row_names_the_person() {
        let joe = scrubber(&[]);
        assert_eq!(joe.text("Joe Doe's phone", false), None);
        assert_eq!(joe.text("Joe Doe's phone", true).unwrap(), "erased's phone");
        assert_eq!(joe.text("joe doe", true).unwrap(), "erased");
        assert_eq!(
            joe.text("joe in Joetown", true).unwrap(),
            "erased in Joetown"
        );
        assert!(gives_away("joe.d") && gives_away("100234") && gives_away("u-17"));
        assert!(!gives_away("mark") && !gives_away("12345") && !gives_away("j@x"));
    }
}
