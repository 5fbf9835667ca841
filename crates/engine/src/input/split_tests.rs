//! What the splitter makes of streams.

use std::fmt::Write as _;

use super::*;
use proptest::prelude::*;

fn split(text: &[u8]) -> Vec<(String, u64, Option<Fault>)> {
    let mut splitter = Splitter::new(text);
    let mut pieces = Vec::new();
    while let Some(chunk) = splitter.next_chunk() {
        for piece in &chunk.pieces {
            let text = String::from_utf8_lossy(chunk.text(piece)).into_owned();
            pieces.push((text, piece.line, piece.fault));
        }
    }
    pieces
}

fn texts(text: &str) -> Vec<String> {
    split(text.as_bytes())
        .into_iter()
        .map(|(text, ..)| text)
        .collect()
}

#[test]
fn lines_arrays_and_printed_objects_give_the_same_events() {
    let expected = vec![
        r#"{"a":"]},{"}"#.to_owned(),
        r#"{"b":[1,{"c":2}]}"#.to_owned(),
    ];
    let lines = "{\"a\":\"]},{\"}\n{\"b\":[1,{\"c\":2}]}\n";
    assert_eq!(texts(lines), expected);
    assert_eq!(
        texts("\u{feff}[{\"a\":\"]},{\"},\n {\"b\":[1,{\"c\":2}]}]\n"),
        expected
    );
    assert_eq!(texts("{\"a\":\"]},{\"}"), expected[..1]);
    let printed = texts("{\n  \"a\": \"}\\\"\"\n}\n{\n  \"b\": 1\n}\n");
    assert_eq!(printed, ["{\n  \"a\": \"}\\\"\"\n}", "{\n  \"b\": 1\n}"]);
}

#[test]
fn a_broken_line_costs_itself_only() {
    let found = split(b"{\"a\":\n{\"b\":1}\n\n  garbage\r\n{\"c\":1}");
    let expected = [
        ("{\"a\":", 1),
        ("{\"b\":1}", 2),
        ("garbage", 4),
        ("{\"c\":1}", 5),
    ];
    let found: Vec<_> = found
        .iter()
        .map(|(text, line, _)| (text.as_str(), *line))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_oversized_event_is_skipped_and_the_next_one_found() {
    let mut text = vec![b'x'; MAX_EVENT_BYTES + 5];
    text.extend_from_slice(b"\n{\"a\":1}\n");
    let found = split(&text);
    assert_eq!(found[0], (String::new(), 1, Some(Fault::TooLarge)));
    assert_eq!(found[1], ("{\"a\":1}".to_owned(), 2, None));
}

#[test]
fn a_stream_that_breaks_off_says_so_after_its_whole_events() {
    struct Breaks(bool);
    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            buffer[..8].copy_from_slice(b"{\"a\":1}\n");
            Ok(8)
        }
    }
    let mut splitter = Splitter::new(Breaks(false));
    let chunk = splitter.next_chunk().unwrap();
    assert_eq!(chunk.pieces.len(), 2);
    assert_eq!(chunk.pieces[1].fault, Some(Fault::Truncated));
    assert!(splitter.next_chunk().is_none());
}

#[test]
fn the_event_in_which_a_stream_breaks_off_is_one_reject_with_its_place() {
    struct Breaks(Vec<u8>);
    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other(Bomb));
            }
            let length = self.0.len();
            buffer[..length].copy_from_slice(&self.0);
            self.0.clear();
            Ok(length)
        }
    }
    for text in ["{\"a\":1}\n{\"b\":", "[{\"a\":1},\n{\"b\":"] {
        let mut splitter = Splitter::new(Breaks(text.as_bytes().to_vec()));
        let chunk = splitter.next_chunk().unwrap();
        assert_eq!(chunk.pieces.len(), 2, "{text}");
        let cut = &chunk.pieces[1];
        assert_eq!((cut.fault, cut.line, cut.length), (Some(Fault::Bomb), 2, 5));
        assert_eq!(cut.byte_offset, text.len() as u64 - 5);
        assert!(splitter.next_chunk().is_none());
        assert!(splitter.problem().is_some());
    }
}

#[test]
fn objects_side_by_side_and_broken_first_lines_are_cut_right() {
    assert_eq!(
        texts("{\"a\":1}{\"b\":1},{\"c\":1}"),
        ["{\"a\":1}", "{\"b\":1}", "{\"c\":1}"]
    );
    assert_eq!(
        texts("{\"a\":\n\r\n\n{\"b\":1}\n"),
        ["{\"a\":", "{\"b\":1}"]
    );
    assert_eq!(texts("a,b\nc,d\n{\"a\":1}\n"), ["a,b", "c,d", "{\"a\":1}"]);
    let printed = "[\n {\n  \"a\": \"cut\n },\n {\n  \"b\": 1\n }\n]";
    assert_eq!(
        texts(printed),
        ["{\n  \"a\": \"cut\n }", "{\n  \"b\": 1\n }"]
    );
}

#[test]
fn a_file_of_brackets_is_handed_out_in_bounded_chunks() {
    let text = "{}\n".repeat(3 * CHUNK_PIECES);
    let mut splitter = Splitter::new(text.as_bytes());
    let sizes: Vec<usize> = std::iter::from_fn(|| splitter.next_chunk())
        .map(|chunk| chunk.pieces.len())
        .collect();
    assert_eq!(sizes, [CHUNK_PIECES; 3]);
    let closers = "{\n}\n".to_owned() + &"}".repeat(100_000);
    assert_eq!(split(closers.as_bytes()).len(), 2);
}

#[test]
fn memory_of_another_chunk_changes_nothing() {
    // Events of many lengths, so that chunks end inside of reads, and more than two chunks of them.
    let mut text = String::new();
    for event in 0..3_000 {
        let filler = "x".repeat(event * 7919 % 5_000);
        let blank = "\n".repeat(event % 3);
        writeln!(text, "{{\"a\":\"{event} {filler}\"}}{blank}").unwrap();
    }
    let mut splitter = Splitter::new(text.as_bytes());
    let (mut used, mut found, mut chunks) = (Chunk::default(), Vec::new(), 0);
    while let Some(chunk) = splitter.next_chunk_in(used) {
        let pieces = chunk.pieces.iter();
        found.extend(pieces.map(|piece| (chunk.text(piece).to_vec(), piece.line)));
        chunks += 1;
        used = chunk;
    }
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty());
    let expected: Vec<(Vec<u8>, u64)> = lines.map(|(n, line)| (line.into(), n)).collect();
    assert_eq!(found, expected);
    assert!(chunks > 2);
}

#[test]
fn what_is_between_events_takes_no_memory() {
    let blank = "\n".repeat(3 * CHUNK_BYTES);
    let mut splitter = Splitter::new(blank.as_bytes().chain(&b"{}"[..]));
    let chunk = splitter.next_chunk().unwrap();
    assert_eq!(chunk.pieces[0].line, 3 * CHUNK_BYTES as u64 + 1);
    assert!(chunk.bytes.len() <= 2 * READ_BYTES, "{}", chunk.bytes.len());
}

proptest! {
#[test]
    fn every_byte_that_is_no_separator_lands_in_one_piece(
        text in proptest::collection::vec(any::<u8>(), 0..300)
    ) {
        let mut splitter = Splitter::new(text.as_slice());
        let mut covered = 0;
        while let Some(chunk) = splitter.next_chunk() {
            for piece in &chunk.pieces {
                let from = usize::try_from(piece.byte_offset).unwrap();
                prop_assert!(from >= covered);
                let between = &text[covered..from];
                prop_assert!(between.iter().all(|byte| byte.is_ascii_whitespace()
                    || matches!(byte, b'[' | b']' | b',' | 0xef | 0xbb | 0xbf)));
                prop_assert_eq!(&text[from..from + chunk.text(piece).len()], chunk.text(piece));
                covered = from + chunk.text(piece).len();
            }
        }
    }
}
