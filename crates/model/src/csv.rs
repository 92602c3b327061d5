//! Rows of text as CSV (RFC 4180) that no spreadsheet runs as a program.
//!
//! A cell that a spreadsheet could take for a formula gets an apostrophe in front, as OWASP advises ("CSV Injection"):
//! what begins with `=`, `+`, `-`, `@`, a tab, a carriage return or a line feed, and the full-width forms of the signs.
//! A plain number stays as it is, also a negative one: it is no formula, and an apostrophe would make it text. There is
//! no byte order mark: programs read this. The app puts one before the files that people open with a double click.

/// Rows as CSV text; every row ends with CR LF.
pub fn text(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            if column > 0 {
                text.push(',');
            }
            push_cell(&mut text, cell);
        }
        text.push_str("\r\n");
    }
    text
}

fn push_cell(text: &mut String, cell: &str) {
    let defused = if is_formula(cell) { "'" } else { "" };
    if cell.contains([',', '"', '\n', '\r']) {
        text.extend(["\"", defused, &cell.replace('"', "\"\""), "\""]);
    } else {
        text.extend([defused, cell]);
    }
}

/// Whether a spreadsheet could read a cell as a formula.
pub fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) && !is_number(cell)
}

/// `-12`, `0.5`, `-1.5e-7`: digits, a fraction, an exponent. Not `+1`, `inf`, `-` or `1-1`.
fn is_number(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = cell.strip_prefix('-').unwrap_or(cell);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole) && digits(fraction) && digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(text: &str) -> String {
        let mut written = String::new();
        push_cell(&mut written, text);
        written
    }

    #[test]
    fn formulas_are_defused_and_numbers_are_not() {
        for formula in [
            "=1+1", "+1", "-1+1", "-", "--1", "-inf", "@SUM(A1)", "\tx", "＝1", "－1", "-1e", "-.5", "-1.", "-1 ",
        ] {
            assert_eq!(cell(formula), format!("'{formula}"), "{formula:?}");
        }
        assert_eq!(cell("\r=1"), "\"'\r=1\"");
        assert_eq!(cell("\n=1"), "\"'\n=1\"");
        assert_eq!(cell("@SUM(1),2"), "\"'@SUM(1),2\"");
        for plain in ["-5.5", "-12", "1e21", "-1.5e-7", "a-b", "", "'=1"] {
            assert_eq!(cell(plain), plain);
        }
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }

    /// A reader of RFC 4180 as a table of states, written from the grammar and not from the writer.
    fn read(text: &str) -> Option<Vec<Vec<String>>> {
        #[derive(Clone, Copy, PartialEq)]
        enum At {
            Start,
            Plain,
            Quoted,
            QuoteInQuoted,
            Return,
        }
        let (mut rows, mut row, mut field, mut at) = (Vec::new(), Vec::new(), String::new(), At::Start);
        for c in text.chars() {
            at = match (at, c) {
                (At::Start, '"') => At::Quoted,
                (At::Quoted, '"') => At::QuoteInQuoted,
                (At::QuoteInQuoted, '"') => {
                    field.push('"');
                    At::Quoted
                }
                (At::Quoted, c) => {
                    field.push(c);
                    At::Quoted
                }
                (At::Return, '\n') => {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                    At::Start
                }
                (At::Return, _) => return None,
                (_, ',') => {
                    row.push(std::mem::take(&mut field));
                    At::Start
                }
                (_, '\r') => At::Return,
                (_, '\n' | '"') | (At::QuoteInQuoted, _) => return None,
                (_, c) => {
                    field.push(c);
                    At::Plain
                }
            };
        }
        (at == At::Start && row.is_empty()).then_some(rows)
    }

    /// Text with everything that has a meaning in CSV or in a spreadsheet, often.
    fn cells() -> impl Strategy<Value = String> {
        let nasty = prop::sample::select(vec![
            "=", "+", "-", "@", "\t", "\r", "\n", "\"", ",", "'", "＝", "1", ".", "e", "é", "😀", " ",
        ]);
        prop_oneof![
            prop::collection::vec(nasty, 0..6).prop_map(|parts| parts.concat()),
            any::<String>(),
            any::<f64>().prop_map(crate::value::number_text),
        ]
    }

    proptest! {
        #[test]
        fn every_table_comes_back_and_runs_nothing(rows in prop::collection::vec(prop::collection::vec(cells(), 1..5), 0..5)) {
            let written = text(&rows);
            let back = read(&written).expect("it follows the grammar");
            prop_assert_eq!(back.len(), rows.len());
            for (cell, original) in back.iter().flatten().zip(rows.iter().flatten()) {
                let dangerous = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
                prop_assert!(!dangerous || cell.parse::<f64>().is_ok_and(f64::is_finite), "{:?}", cell);
                let expected = if is_formula(original) { format!("'{original}") } else { original.clone() };
                prop_assert_eq!(cell, &expected);
            }
        }
    }
}
