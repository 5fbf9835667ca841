//! The labels of a batch as numbers: which tenant and which kind of signal a row is, found column by
//! column and once per distinct value, never by hashing a row.

use arrow::array::Array;
use hashbrown::HashMap;

use crate::columns::{KIND_TEXTS, Labels, Text, coded};
use crate::interner::position;

/// How large a table of all combinations of two columns may be before a hash map takes over.
const DENSE: usize = 1 << 16;

/// A number for every row and the rows that show what the numbers mean.
pub(crate) struct Numbered {
    /// By row.
    pub(crate) of_row: Vec<u32>,
    /// By number: a row that has it.
    pub(crate) shown_by: Vec<usize>,
}

/// The tenant of every row.
pub(crate) fn tenants(labels: &Labels, rows: usize) -> Numbered {
    let mut numbered = Numbered::all_alike(rows);
    numbered.refine(&labels.tenant);
    numbered
}

/// The kind of every row: rows of one number agree in all columns of a kind.
pub(crate) fn kinds(labels: &Labels, rows: usize) -> Numbered {
    let mut numbered = Numbered::all_alike(rows);
    for column in &labels.kind {
        numbered.refine(column);
    }
    numbered
}

/// The texts of a row that make its kind.
pub(crate) fn texts(labels: &Labels, row: usize) -> [Option<&str>; KIND_TEXTS] {
    labels.kind.each_ref().map(|column| column.get(row))
}

impl Numbered {
    fn all_alike(rows: usize) -> Self {
        Self {
            of_row: vec![0; rows],
            shown_by: vec![0; rows.min(1)],
        }
    }

    /// Tells rows apart that differ in a column. Numbers are given in the order of the rows.
    fn refine(&mut self, column: &Text) {
        let (codes, values) = codes(column, self.of_row.len());
        if values <= 1 {
            return;
        }
        let mut shown_by = Vec::new();
        let mut number = |row: usize| {
            shown_by.push(row);
            position(shown_by.len() - 1)
        };
        let pairs = self.of_row.iter_mut().zip(&codes).enumerate();
        if self.shown_by.len() * values <= DENSE {
            let mut known = vec![u32::MAX; self.shown_by.len() * values];
            for (row, (of_row, &code)) in pairs {
                let place = &mut known[*of_row as usize * values + code as usize];
                if *place == u32::MAX {
                    *place = number(row);
                }
                *of_row = *place;
            }
        } else {
            let mut known: HashMap<(u32, u32), u32> = HashMap::new();
            for (row, (of_row, &code)) in pairs {
                *of_row = *known.entry((*of_row, code)).or_insert_with(|| number(row));
            }
        }
        self.shown_by = shown_by;
    }
}

/// A number for every row of a column, equal for equal texts, and how many there are at most.
fn codes(column: &Text, rows: usize) -> (Vec<u32>, usize) {
    let mut known: HashMap<Option<&str>, u32> = HashMap::new();
    let mut code = |text| {
        let next = position(known.len());
        *known.entry(text).or_insert(next)
    };
    let codes: Vec<u32> = match column {
        Text::Plain(_) => {
            let mut last: Option<(Option<&str>, u32)> = None;
            let of_row = |row| {
                let text = column.get(row);
                let code = match last {
                    Some((run, code)) if run == text => code,
                    _ => code(text),
                };
                last = Some((text, code));
                code
            };
            (0..rows).map(of_row).collect()
        }
        // A dictionary may hold a value twice, and values that no row has.
        Text::Coded(keys, values) => {
            let null = code(None);
            let mut by_value: Vec<Option<u32>> = vec![None; values.len()];
            let of_row = |row| match coded(keys, row) {
                None => null,
                Some(value) => *by_value[value].get_or_insert_with(|| {
                    code(values.is_valid(value).then(|| values.value(value)))
                }),
            };
            (0..rows).map(of_row).collect()
        }
    };
    (codes, known.len())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, StringArray};

    use super::*;

    fn plain(texts: &[Option<&str>]) -> Text {
        Text::Plain(StringArray::from(texts.to_vec()))
    }

    #[test]
    fn equal_rows_share_a_number_in_either_form_of_a_column() {
        // The dictionary holds "b" twice, and a value that nobody has.
        let values = StringArray::from(vec!["b", "x", "a", "b"]);
        let keys = Int32Array::from(vec![Some(3), Some(2), None, Some(0)]);
        let coded = Text::Coded(keys, values);
        let same = plain(&[Some("b"), Some("a"), None, Some("b")]);
        for column in [coded, same] {
            let mut numbered = Numbered::all_alike(4);
            numbered.refine(&column);
            assert_eq!(numbered.of_row, [0, 1, 2, 0]);
            assert_eq!(numbered.shown_by, [0, 1, 2]);
        }
    }

    #[test]
    fn many_combinations_are_told_apart_as_well() {
        let many = |of: usize| {
            let texts: Vec<String> = (0..600).map(|row| (row % of).to_string()).collect();
            Text::Plain(StringArray::from(texts))
        };
        let mut numbered = Numbered::all_alike(600);
        numbered.refine(&many(300));
        numbered.refine(&many(400));
        // 300 × 400 combinations are beyond the table; 600 rows have lcm(300, 400) > 600 of them.
        assert_eq!(numbered.shown_by.len(), 600);
        assert!(numbered.of_row.iter().copied().eq(0..600));
    }

    #[test]
    fn no_rows_have_no_numbers() {
        let mut numbered = Numbered::all_alike(0);
        numbered.refine(&plain(&[]));
        assert!(numbered.of_row.is_empty() && numbered.shown_by.is_empty());
    }
}
