//! Names typed in by nobody known never leave this crate in the clear.
//!
//! People type passwords into user-name fields. Where a principal has no id, Okta does not know
//! whom the typed name belongs to, so it may be anything. It is kept only as a keyed hash `h:…`, and
//! Okta repeats it in messages, display names, request URLs and details, so every repetition is
//! replaced by the same hash:
//!
//! * a value that equals the name, whatever the case, always;
//! * inside other text, in every encoding that [`disguise`](crate::disguise) sees through, if the
//!   name has at least four characters;
//! * a shorter name would shred other words ("a" is in most of them), so inside other text it is
//!   replaced only as a word of its own; a message that holds it anywhere is dropped whole, and a
//!   URL whose query holds it loses the query.
//!
//! Where this cannot be done thoroughly the text is dropped instead: texts above 16 KiB, and all
//! free texts of an event that names more than sixteen unknown people.

use std::borrow::Cow;
use std::ops::Range;

use af_model::HashKey;
use af_model::key::{SubjectRef, normalize_key};

use crate::disguise::{Needle, Readings};
use crate::event::Entity;

/// Names shorter than this are replaced only as words of their own.
const SHREDS_BELOW: usize = 4;
/// Longest text that is searched, in bytes.
const LONGEST: usize = 16 * 1024;
/// Most unknown people of one event.
const MOST_NAMES: usize = 16;

/// One text that somebody typed.
#[derive(Debug)]
struct Typed {
    /// The text as it stands and, where it differs, as a key.
    needles: Vec<Needle>,
    short: bool,
    replacement: String,
}

/// Replaces typed-in names by their hashes. Empty, and free of cost, for events of known people.
#[derive(Debug, Default)]
pub(crate) struct Scrubber {
    typed: Vec<Typed>,
    too_many: bool,
}

impl Scrubber {
    /// The scrubber of one event.
    pub(crate) fn new(
        key: &HashKey,
        tenant_uid: &str,
        actor: &Entity<'_>,
        targets: &[Entity<'_>],
    ) -> Self {
        let mut scrubber = Self::default();
        let entities = std::iter::once((actor, true)).chain(targets.iter().map(|t| (t, false)));
        for (entity, is_actor) in entities {
            if entity.name_was_typed(is_actor)
                && let Some(replacement) = typed_hash(key, tenant_uid, entity)
            {
                // Without an id the display name has no directory behind it either.
                for text in [&entity.alternate_id, &entity.display_name] {
                    if let Some(text) = text.as_str() {
                        scrubber.add(text, &replacement);
                    }
                }
            }
        }
        // Longer names first: a name that holds another one is replaced as a whole.
        scrubber.typed.sort_by(|left, right| {
            let length = |typed: &Typed| typed.needles.first().map_or(0, |n| n.folded().len());
            length(right).cmp(&length(left))
        });
        scrubber
    }

    fn add(&mut self, text: &str, replacement: &str) {
        let key = normalize_key(text);
        let mut needles: Vec<Needle> = Needle::new(text).into_iter().collect();
        if let Some(needle) = Needle::new(&key)
            && needles.iter().all(|have| have.folded() != needle.folded())
        {
            needles.push(needle);
        }
        let known = |typed: &Typed| {
            let folded = |needle: &Needle| needle.folded().to_vec();
            typed.needles.first().map(folded) == needles.first().map(folded)
        };
        if needles.is_empty() || self.typed.iter().any(known) {
            return;
        }
        if self.typed.len() == 2 * MOST_NAMES {
            self.too_many = true;
            return;
        }
        self.typed.push(Typed {
            needles,
            short: text.chars().count() < SHREDS_BELOW,
            replacement: replacement.to_owned(),
        });
    }

    /// Whether nobody typed anything.
    pub(crate) fn is_idle(&self) -> bool {
        self.typed.is_empty()
    }

    /// A name or a short free text.
    pub(crate) fn text<'a>(&self, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.scrub(text, |_, _| Short::Replace)
    }

    /// A whole sentence: dropped if it holds a short name anywhere.
    pub(crate) fn sentence<'a>(&self, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.scrub(text, |_, _| Short::Drop)
    }

    /// A value of debugData: may be a URL, whose query is cut off if it holds a short name.
    pub(crate) fn detail<'a>(&self, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.scrub(text, |text, places| {
            let query = text.find('?');
            match query {
                Some(query) if places.iter().any(|place| place.end > query) => Short::CutAt(query),
                _ => Short::Replace,
            }
        })
    }

    fn scrub<'a>(
        &self,
        text: Cow<'a, str>,
        short_found: impl Fn(&str, &[Range<usize>]) -> Short,
    ) -> Option<Cow<'a, str>> {
        if self.is_idle() {
            return Some(text);
        }
        if self.too_many || text.len() > LONGEST {
            return None;
        }
        let mut end = text.len();
        let readings = Readings::of(&text);
        let mut cuts: Vec<(Range<usize>, &str)> = Vec::new();
        for typed in &self.typed {
            for needle in &typed.needles {
                if typed.short {
                    let anywhere = readings.places(needle, false);
                    if !anywhere.is_empty() {
                        match short_found(&text, &anywhere) {
                            Short::Replace => {}
                            Short::Drop if is_whole(&text, &anywhere) => {}
                            Short::Drop => return None,
                            Short::CutAt(place) => end = end.min(place),
                        }
                    }
                }
                let places = readings.places(needle, typed.short);
                cuts.extend(
                    places
                        .into_iter()
                        .map(|place| (place, typed.replacement.as_str())),
                );
            }
        }
        cuts.retain(|(place, _)| place.start < end);
        if cuts.is_empty() && end == text.len() {
            return Some(text);
        }
        // Stable: of two names at one place the longer one, which was searched first, stands first.
        cuts.sort_by_key(|(place, _)| (place.start, std::cmp::Reverse(place.end)));
        let mut scrubbed = String::with_capacity(text.len());
        let mut at = 0;
        for (place, replacement) in cuts {
            if place.start >= at {
                scrubbed.push_str(&text[at..place.start]);
                scrubbed.push_str(replacement);
            }
            at = at.max(place.end);
        }
        scrubbed.push_str(&text[at.min(end)..end]);
        Some(Cow::Owned(scrubbed))
    }
}

/// What to do with a text that holds a short name.
enum Short {
    /// Replace it where it is a word of its own.
    Replace,
    /// Drop the text.
    Drop,
    /// Drop the text from here on.
    CutAt(usize),
}

fn is_whole(text: &str, places: &[Range<usize>]) -> bool {
    places.contains(&(0..text.len()))
}

/// The written subject `h:…` of an entity whose name was typed; `None` without any name.
pub(crate) fn typed_hash(key: &HashKey, tenant_uid: &str, entity: &Entity<'_>) -> Option<String> {
    let name = entity.alternate_id.as_str();
    let name = name.or(entity.display_name.as_str())?;
    Some(SubjectRef::hashed(key, tenant_uid, name).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: HashKey = HashKey::new([3; 32]);

    fn scrubber(typed: &str) -> (Scrubber, String) {
        let json = serde_json::json!({"id": "unknown", "type": "User", "alternateId": typed});
        let json = json.to_string();
        let actor: Entity<'_> = serde_json::from_str(&json).unwrap();
        let hash = SubjectRef::hashed(&KEY, "acme", typed).to_string();
        (Scrubber::new(&KEY, "acme", &actor, &[]), hash)
    }

    #[test]
    fn known_people_are_left_alone() {
        let actor = r#"{"id":"00u1","type":"User","alternateId":"joe@example.com"}"#;
        let actor: Entity<'_> = serde_json::from_str(actor).unwrap();
        let scrubber = Scrubber::new(&KEY, "acme", &actor, &[]);
        assert!(scrubber.is_idle());
        let kept = scrubber.sentence("joe@example.com did it".into());
        assert!(matches!(kept, Some(Cow::Borrowed(_))));
    }

    #[test]
    fn a_long_name_is_replaced_wherever_it_stands() {
        let (scrubber, h) = scrubber("Tr0ub4dor&3");
        assert_eq!(
            scrubber
                .sentence("Login of TR0UB4DOR&3 failed".into())
                .unwrap(),
            format!("Login of {h} failed")
        );
        assert_eq!(
            scrubber
                .detail("/login?u=tr0ub4dor%263&x=1".into())
                .unwrap(),
            format!("/login?u={h}&x=1")
        );
        assert_eq!(scrubber.text("Tr0ub4dor&3".into()).unwrap(), h);
        assert!(matches!(
            scrubber.text("other".into()),
            Some(Cow::Borrowed("other"))
        ));
    }

    #[test]
    fn a_short_name_does_not_shred_other_words() {
        let (scrubber, h) = scrubber("a");
        assert_eq!(scrubber.text("A".into()).unwrap(), h);
        assert_eq!(scrubber.sentence("A".into()).unwrap(), h);
        assert_eq!(scrubber.text("Malaga".into()).unwrap(), "Malaga");
        assert_eq!(
            scrubber.text("name: a.".into()).unwrap(),
            format!("name: {h}.")
        );
        assert_eq!(scrubber.sentence("Failed login".into()), None);
        assert_eq!(scrubber.sentence("Blocked".into()).unwrap(), "Blocked");
        assert_eq!(scrubber.detail("/page?user=xay".into()).unwrap(), "/page");
        assert_eq!(
            scrubber.detail("/a/b?user=1".into()).unwrap(),
            format!("/{h}/b?user=1")
        );
    }

    #[test]
    fn a_name_inside_another_goes_with_the_longer_one() {
        let actor =
            r#"{"id":null,"type":"User","alternateId":"hunter2","displayName":"hunter2000"}"#;
        let actor: Entity<'_> = serde_json::from_str(actor).unwrap();
        let scrubber = Scrubber::new(&KEY, "acme", &actor, &[]);
        let h = SubjectRef::hashed(&KEY, "acme", "hunter2").to_string();
        assert_eq!(
            scrubber.sentence("hunter2000 or hunter2?".into()).unwrap(),
            format!("{h} or {h}?")
        );
    }

    #[test]
    fn what_cannot_be_searched_is_dropped() {
        let (scrubber, _) = scrubber("hunter2");
        assert_eq!(scrubber.detail("x".repeat(LONGEST + 1).into()), None);
        let many: Vec<Entity<'_>> = (0..40)
            .map(|n| {
                let json = format!(r#"{{"type":"User","alternateId":"typed{n}"}}"#);
                serde_json::from_str(Box::leak(json.into_boxed_str())).unwrap()
            })
            .collect();
        let scrubber = Scrubber::new(&KEY, "acme", &Entity::default(), &many);
        assert_eq!(scrubber.sentence("anything".into()), None);
    }
}
