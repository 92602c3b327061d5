//! The parser of formulas: recursive descent over characters, bounded in length and depth.

use super::{Arithmetic, FORMULA_BYTES_MAX, FORMULA_DEPTH_MAX, FormulaFunction, Term};

/// Why a text is not a formula, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {at} of the formula; {mend}")]
pub struct FormulaError {
    /// Place of the character, the first being 1.
    pub at: usize,
    pub message: String,
    pub mend: String,
}

pub(super) fn parse(text: &str) -> Result<Term, FormulaError> {
    let mut parser = Parser {
        chars: text.chars().collect(),
        next: 0,
    };
    if text.len() > FORMULA_BYTES_MAX {
        let mend = format!("write at most {FORMULA_BYTES_MAX} bytes");
        return Err(parser.fault("too long", &mend));
    }
    let term = parser.sum(0)?;
    match parser.peek() {
        None => Ok(term),
        Some(')') => Err(parser.fault("a ')' that closes nothing", "take it away, or open it with '('")),
        Some('^') => Err(parser.fault("'^' is not an operator", "write pow(A, 2)")),
        Some(found) => {
            let message = format!("unexpected '{found}'");
            Err(parser.fault(&message, "join values by + - * / or %"))
        }
    }
}

struct Parser {
    chars: Vec<char>,
    next: usize,
}

impl Parser {
    fn fault(&self, message: &str, mend: &str) -> FormulaError {
        self.fault_at(self.next, message, mend)
    }

    fn fault_at(&self, index: usize, message: &str, mend: &str) -> FormulaError {
        FormulaError {
            at: index + 1,
            message: message.into(),
            mend: mend.into(),
        }
    }

    /// The next character that is not a space.
    fn peek(&mut self) -> Option<char> {
        while self.chars.get(self.next).is_some_and(|found| found.is_whitespace()) {
            self.next += 1;
        }
        self.chars.get(self.next).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    fn sum(&mut self, depth: usize) -> Result<Term, FormulaError> {
        let mut left = self.product(depth)?;
        loop {
            let op = match self.peek() {
                Some('+') => Arithmetic::Add,
                Some('-') => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.next += 1;
            left = binary(op, left, self.product(depth)?);
        }
    }

    fn product(&mut self, depth: usize) -> Result<Term, FormulaError> {
        let mut left = self.signed(depth)?;
        loop {
            let op = match self.peek() {
                Some('*') => Arithmetic::Multiply,
                Some('/') => Arithmetic::Divide,
                Some('%') => Arithmetic::Remainder,
                _ => return Ok(left),
            };
            self.next += 1;
            left = binary(op, left, self.signed(depth)?);
        }
    }

    fn signed(&mut self, depth: usize) -> Result<Term, FormulaError> {
        if depth > FORMULA_DEPTH_MAX {
            return Err(self.fault("too many things inside each other", "make two formulas of it"));
        }
        if self.take('-') {
            return Ok(Term::Negate(Box::new(self.signed(depth + 1)?)));
        }
        self.value(depth)
    }

    fn value(&mut self, depth: usize) -> Result<Term, FormulaError> {
        const WANTED: &str = "write a metric's letter, a number, a function or '('";
        match self.peek() {
            None => Err(self.fault("the formula ends too early", WANTED)),
            Some('(') => {
                let opened = self.next;
                self.next += 1;
                let inner = self.sum(depth + 1)?;
                self.close(opened)?;
                Ok(inner)
            }
            Some(found) if found.is_ascii_digit() || found == '.' => self.number(),
            Some(found) if found.is_ascii_alphabetic() => self.word(depth),
            Some(found) => {
                let message = format!("unexpected '{found}'");
                Err(self.fault(&message, WANTED))
            }
        }
    }

    fn close(&mut self, opened: usize) -> Result<(), FormulaError> {
        if self.take(')') {
            return Ok(());
        }
        Err(self.fault_at(opened, "a '(' that is not closed", "close it with ')'"))
    }

    fn number(&mut self) -> Result<Term, FormulaError> {
        let begin = self.next;
        while let Some(found) = self.chars.get(self.next) {
            let after_e = matches!(self.chars[self.next.max(1) - 1], 'e' | 'E') && self.next > begin;
            let goes_on =
                found.is_ascii_digit() || matches!(found, '.' | 'e' | 'E') || (after_e && matches!(found, '+' | '-'));
            if !goes_on {
                break;
            }
            self.next += 1;
        }
        let text: String = self.chars[begin..self.next].iter().collect();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Term::Number(number)),
            _ => Err(self.fault_at(begin, "not a number", "write it like 0.5 or 1e3")),
        }
    }

    /// A metric's letter, or a function with its arguments.
    fn word(&mut self, depth: usize) -> Result<Term, FormulaError> {
        let begin = self.next;
        while self.chars.get(self.next).is_some_and(char::is_ascii_alphanumeric) {
            self.next += 1;
        }
        let word: String = self.chars[begin..self.next]
            .iter()
            .collect::<String>()
            .to_ascii_lowercase();
        if let [letter @ b'a'..=b'z'] = word.as_bytes() {
            return Ok(Term::Metric(usize::from(letter - b'a')));
        }
        let Some((name, function)) = FormulaFunction::ALL.into_iter().find(|(name, _)| *name == word) else {
            let names: Vec<&str> = FormulaFunction::ALL.iter().map(|(name, _)| *name).collect();
            let mend = format!("there are the letters of metrics and {}", names.join(", "));
            return Err(self.fault_at(begin, &format!("unknown word '{word}'"), &mend));
        };
        let opened = self.next;
        if !self.take('(') {
            let mend = format!("write {name}(A)");
            return Err(self.fault_at(begin, &format!("'{name}' without its arguments"), &mend));
        }
        let mut arguments = vec![self.sum(depth + 1)?];
        while self.take(',') {
            arguments.push(self.sum(depth + 1)?);
        }
        self.close(opened)?;
        let (least, most) = function.arguments();
        if !(least..=most).contains(&arguments.len()) {
            let message = format!("'{name}' with {} arguments", arguments.len());
            return Err(self.fault_at(begin, &message, &format!("give it {least}")));
        }
        Ok(Term::Call { function, arguments })
    }
}

fn binary(op: Arithmetic, left: Term, right: Term) -> Term {
    Term::Binary {
        op,
        left: Box::new(left),
        right: Box::new(right),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// With every pair of parentheses that the order of operations stands for.
    fn shown(term: &Term) -> String {
        match term {
            Term::Number(number) => number.to_string(),
            Term::Metric(metric) => char::from(b'A' + *metric as u8).to_string(),
            Term::Negate(inner) => format!("-{}", shown(inner)),
            Term::Binary { op, left, right } => format!("({} {op:?} {})", shown(left), shown(right)),
            Term::Call { function, arguments } => {
                let arguments: Vec<String> = arguments.iter().map(shown).collect();
                format!("{function:?}[{}]", arguments.join(" "))
            }
        }
    }

    #[test]
    fn formulas_are_read_in_the_order_of_operations() {
        let cases = [
            ("A", "A"),
            (" a+B * 2 ", "(A Add (B Multiply 2))"),
            ("A-B-C", "((A Subtract B) Subtract C)"),
            ("A/B%C", "((A Divide B) Remainder C)"),
            ("-(A+1)*-B", "(-(A Add 1) Multiply -B)"),
            ("1e3 + .5 - 2.5E-1", "((1000 Add 0.5) Subtract 0.25)"),
            (
                "Round(100*A/max(B, C, 1))",
                "Round[((100 Multiply A) Divide Max[B C 1])]",
            ),
            ("pow(A, log10(B))", "Pow[A Log10[B]]"),
            ("coalesce(A/B,0)", "Coalesce[(A Divide B) 0]"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn faults_say_where_and_how_to_mend() {
        let cases = [
            ("", 1, "letter"),
            ("A +", 4, "letter"),
            ("A B", 3, "join"),
            ("(A + B", 1, "close"),
            ("A)", 2, "take it away"),
            ("A ^ 2", 3, "pow"),
            ("sum(A)", 1, "abs, min"),
            ("abs", 1, "abs(A)"),
            ("A + pow(B)", 5, "give it 2"),
            ("1.2.3", 1, "0.5"),
            ("A + é", 5, "letter"),
        ];
        for (text, at, mend) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
            assert!(error.to_string().contains(mend), "{text}: {error}");
        }
        assert!(parse(&"(".repeat(400)).is_err());
        assert!(parse(&"-".repeat(900)).is_err());
        assert!(parse(&format!("{}A", "A+".repeat(499))).is_ok());
    }
}
