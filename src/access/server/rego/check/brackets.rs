//! How deep lists and objects lie in each other, read before anything is parsed.

/// How deep lists, objects and bodies may lie in each other.
const BRACKETS: usize = 8;

/// Where lists and objects lie deeper in each other than they may, as a line and a column. It is asked before the parser,
/// which tries each such bracket in several ways, and so takes twice as long for each level.
pub fn is_nested_too_deep(text: &str) -> Option<(usize, usize)> {
    let (mut depth, mut line, mut column) = (0_usize, 1, 0);
    let mut within = None;
    let mut is_escaped = false;
    for sign in text.chars() {
        column += 1;
        if sign == '\n' {
            (line, column) = (line + 1, 0);
            // Only a raw text goes over the end of a line.
            within = within.filter(|within| *within == '`');
            is_escaped = false;
            continue;
        }
        match (within, sign) {
            (Some('"'), _) if is_escaped => is_escaped = false,
            (Some('"'), '\\') => is_escaped = true,
            (Some('"'), '"') | (Some('`'), '`') => within = None,
            (Some(_), _) => {}
            (None, '"' | '`' | '#') => within = Some(sign),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        if depth > BRACKETS {
            return Some((line, column));
        }
    }
    None
}
