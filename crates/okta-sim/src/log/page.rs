//! A page of the log: which events, and their bytes.

use std::io;
use std::sync::Arc;

use super::index::{Order, Position, Walk};
use super::store::Store;

/// Whether an event is wanted.
pub(super) type Like<'a> = &'a dyn Fn(&[u8]) -> bool;

/// Which events a query asks for.
pub(super) struct Wanted<'a> {
    pub(super) order: Order,
    pub(super) descending: bool,
    /// Both excluded.
    pub(super) after: Position,
    pub(super) before: Position,
    /// Nothing that can be seen only later.
    pub(super) now: i64,
    pub(super) limit: usize,
    /// What else an event must be like.
    pub(super) like: Option<Like<'a>>,
}

/// One event of a page.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) position: Position,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    File { offset: u64, length: u32 },
    Memory(Arc<[u8]>),
}

impl Store {
    /// The first events that are wanted, in the order that is wanted.
    pub(super) fn find(&self, wanted: &Wanted<'_>) -> io::Result<Vec<Hit>> {
        let written = self.written();
        let (index, count) = match wanted.order {
            Order::Published => (&self.by_published, written.published),
            Order::Persisted => (&self.by_persisted, written.persisted),
        };
        let mut walk = if wanted.descending {
            let last = Position {
                number: wanted.before.number.saturating_sub(1),
                ..wanted.before
            };
            let end = if wanted.before.number == 0 {
                Position::before(wanted.before.millis)
            } else {
                last
            };
            index.backward(index.behind(end, count)?)
        } else {
            index.forward(index.behind(wanted.after, count)?, count)
        };
        let mut added = self
            .appended
            .between(wanted.order, wanted.after, wanted.before);
        added.retain(|(_, added)| added.persisted <= wanted.now);
        if wanted.descending {
            added.reverse();
        }
        let mut added = added
            .into_iter()
            .map(|(position, added)| Hit {
                position,
                place: Place::Memory(added.json),
            })
            .peekable();

        let mut hits = Vec::new();
        let mut of_file = next_of_file(&mut walk, wanted)?;
        while hits.len() < wanted.limit {
            let file_first = match (&of_file, added.peek()) {
                (None, None) => break,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some(file), Some(added)) => (file.position < added.position) != wanted.descending,
            };
            let hit = if file_first {
                let next = next_of_file(&mut walk, wanted)?;
                std::mem::replace(&mut of_file, next)
            } else {
                added.next()
            };
            let Some(hit) = hit else { break };
            if self.is_like(&hit, wanted)? {
                hits.push(hit);
            }
        }
        Ok(hits)
    }

    fn is_like(&self, hit: &Hit, wanted: &Wanted<'_>) -> io::Result<bool> {
        let Some(like) = wanted.like else {
            return Ok(true);
        };
        let mut body = Vec::new();
        self.cut(std::slice::from_ref(hit), &mut body)?;
        // Without the brackets of the page.
        Ok(like(&body[1..body.len() - 1]))
    }

    /// Appends a page with these events to a body. They are copied, not parsed; events that lie
    /// near each other are read at once.
    pub(super) fn cut(&self, hits: &[Hit], body: &mut Vec<u8>) -> io::Result<()> {
        let (mut low, mut high, mut total) = (u64::MAX, 0_u64, 0_u64);
        for hit in hits {
            if let Place::File { offset, length } = hit.place {
                low = low.min(offset);
                high = high.max(offset + u64::from(length));
                total += u64::from(length);
            }
        }
        let near = total > 0 && high - low <= 2 * total + (1 << 16);
        let mut together = Vec::new();
        if near {
            together = vec![0; usize::try_from(high - low).expect("a page fits memory")];
            self.read(&mut together, low)?;
        }
        body.reserve(usize::try_from(total).expect("a page fits memory") + hits.len() + 2);
        body.push(b'[');
        for (number, hit) in hits.iter().enumerate() {
            if number > 0 {
                body.push(b',');
            }
            match &hit.place {
                Place::Memory(json) => body.extend_from_slice(json),
                Place::File { offset, length } => {
                    let length = usize::try_from(*length).expect("32 bits");
                    if near {
                        let at = usize::try_from(offset - low).expect("within what was read");
                        body.extend_from_slice(&together[at..at + length]);
                    } else {
                        let at = body.len();
                        body.resize(at + length, 0);
                        self.read(&mut body[at..], *offset)?;
                    }
                }
            }
        }
        body.push(b']');
        Ok(())
    }
}

/// The next event of an index that can be seen and is within bounds.
fn next_of_file(walk: &mut Walk<'_>, wanted: &Wanted<'_>) -> io::Result<Option<Hit>> {
    while let Some((position, record)) = walk.step()? {
        let beyond = if wanted.descending {
            position <= wanted.after
        } else {
            position >= wanted.before
        };
        // Nothing can be seen before it happened, so a later walk through either order ends
        // where the present does.
        if beyond || (!wanted.descending && position.millis > wanted.now) {
            return Ok(None);
        }
        if record.persisted <= wanted.now {
            return Ok(Some(Hit {
                position,
                place: Place::File {
                    offset: record.offset,
                    length: record.length,
                },
            }));
        }
    }
    Ok(None)
}
