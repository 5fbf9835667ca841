//! Cells of Markdown tables.

/// Text in which Markdown sees neither a column border, an HTML tag nor emphasis.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '|' | '<' | '>' | '*') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Names in code type, separated by commas; a dash for none.
pub(super) fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        return "–".to_owned();
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_break_its_line() {
        assert_eq!(escaped("list<a|b*>"), r"list\<a\|b\*\>");
    }
}
