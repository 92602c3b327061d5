//! The parser: a hand-written recursive descent over a token list, bounded in length, depth and list size.
//!
//! Precedence, lowest first: `or`; `and`; `not`; comparison and `in` (not associative); `+ -`; `* / %`; unary `-`
//! (contract X1). Keywords ignore case (X2).

use super::{
    BinaryOp, DEPTH_MAX, Expression, Function, HEIGHT_MAX, LIST_LITERALS_MAX, PRINTED_BYTES_MAX, Scope, TEXT_BYTES_MAX,
    quantifier,
};
use crate::Value;

/// Why a text is not an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at byte {at}")]
pub struct ParseError {
    /// Byte offset in the text.
    pub at: usize,
    /// What is wrong and what would be right. Never holds more of the text than one token.
    pub message: String,
}

impl ParseError {
    pub(super) fn new(at: usize, message: impl Into<String>) -> ParseError {
        ParseError {
            at,
            message: message.into(),
        }
    }

    pub(super) fn too_deep(at: usize) -> ParseError {
        ParseError::new(
            at,
            format!("the expression nests deeper than {DEPTH_MAX}; split it into simpler filters"),
        )
    }
}

pub(super) fn parse(text: &str) -> Result<Expression, ParseError> {
    let expression = parse_up_to(text, TEXT_BYTES_MAX)?;
    // Only `any` and `all` can grow so much, since they become what they mean.
    if expression.to_string().len() > PRINTED_BYTES_MAX {
        return Err(ParseError::new(
            0,
            "the lists of any() and all() make the expression too long",
        ));
    }
    Ok(expression)
}

/// Parses what [`Expression`]'s `Display` printed, which is longer than the text it once came from.
pub(super) fn parse_printed(text: &str) -> Result<Expression, ParseError> {
    parse_up_to(text, PRINTED_BYTES_MAX)
}

fn parse_up_to(text: &str, bytes_max: usize) -> Result<Expression, ParseError> {
    if text.len() > bytes_max {
        return Err(ParseError::new(
            bytes_max,
            format!("the expression is longer than {bytes_max} bytes"),
        ));
    }
    let tokens = tokenize(text)?;
    if let [(_, Token::Word(name))] = tokens.as_slice()
        && !matches!(name.to_ascii_lowercase().as_str(), "true" | "false")
    {
        return Ok(Expression::property(name.clone()));
    }
    let mut parser = Parser {
        tokens,
        next: 0,
        end: text.len(),
        element: None,
        height: 0,
    };
    let expression = parser.or(0)?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(ParseError::new(parser.at(), format!("unexpected {}", token.name()))),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Number(f64),
    String(String),
    Symbol(&'static str),
}

impl Token {
    fn name(&self) -> String {
        match self {
            Token::Word(word) => format!("'{word}'"),
            Token::Number(_) => "a number".into(),
            Token::String(_) => "a string".into(),
            Token::Symbol(symbol) => format!("'{symbol}'"),
        }
    }
}

/// Longer symbols first, so that `<=` is not read as `<`. A single `=` is accepted for `==` (contract X15).
const SYMBOLS: [&str; 17] = [
    "==", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",",
];

fn tokenize(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let token = if byte == b'"' || byte == b'\'' {
            let (content, end) = quoted(text, at)?;
            at = end;
            Token::String(content)
        } else if byte.is_ascii_digit() || (byte == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)) {
            while bytes.get(at).is_some_and(|b| {
                b.is_ascii_digit()
                    || matches!(b, b'.' | b'e' | b'E')
                    || (matches!(b, b'+' | b'-') && matches!(bytes[at - 1], b'e' | b'E'))
            }) {
                at += 1;
            }
            let number = text[start..at].parse::<f64>().ok().filter(|number| number.is_finite());
            Token::Number(number.ok_or_else(|| ParseError::new(start, "not a number"))?)
        } else if byte == b'_' || byte == b'$' || byte.is_ascii_alphabetic() || byte >= 0x80 {
            while bytes
                .get(at)
                .is_some_and(|b| matches!(b, b'_' | b'$' | b'.') || b.is_ascii_alphanumeric() || *b >= 0x80)
            {
                at += 1;
            }
            Token::Word(text[start..at].to_owned())
        } else {
            let symbol = SYMBOLS.iter().find(|symbol| text[at..].starts_with(**symbol));
            let symbol = symbol.ok_or_else(|| ParseError::new(start, "a character that no expression has"))?;
            at += symbol.len();
            Token::Symbol(if *symbol == "=" { "==" } else { symbol })
        };
        tokens.push((start, token));
    }
    Ok(tokens)
}

/// Reads the quoted string that begins at `start`; returns its content and the offset behind it.
fn quoted(text: &str, start: usize) -> Result<(String, usize), ParseError> {
    let quote = text.as_bytes()[start] as char;
    let mut content = String::new();
    let mut chars = text[start + 1..].char_indices();
    while let Some((offset, char)) = chars.next() {
        match char {
            '\\' => content.extend(chars.next().map(|(_, escaped)| escaped)),
            char if char == quote => return Ok((content, start + 1 + offset + 1)),
            char => content.push(char),
        }
    }
    Err(ParseError::new(start, "a string without its closing quote"))
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    /// Height of the tree that was read last.
    height: usize,
    /// What the innermost `any` or `all` calls an element of its list.
    element: Option<String>,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(next)) if *next == symbol);
        self.next += usize::from(found);
        found
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), ParseError> {
        if self.take_symbol(symbol) {
            return Ok(());
        }
        Err(ParseError::new(self.at(), format!("expected '{symbol}'")))
    }

    fn or(&mut self, depth: usize) -> Result<Expression, ParseError> {
        if depth > DEPTH_MAX {
            return Err(ParseError::too_deep(self.at()));
        }
        let mut left = self.and(depth)?;
        while self.take_keyword("or") {
            let height = self.height;
            let right = self.and(depth)?;
            left = self.join(BinaryOp::Or, (left, height), right)?;
        }
        Ok(left)
    }

    fn and(&mut self, depth: usize) -> Result<Expression, ParseError> {
        let mut left = self.not(depth)?;
        while self.take_keyword("and") {
            let height = self.height;
            let right = self.not(depth)?;
            left = self.join(BinaryOp::And, (left, height), right)?;
        }
        Ok(left)
    }

    fn not(&mut self, depth: usize) -> Result<Expression, ParseError> {
        if depth > DEPTH_MAX {
            return Err(ParseError::too_deep(self.at()));
        }
        if self.take_keyword("not") {
            let inner = self.not(depth + 1)?;
            self.grow()?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        self.comparison(depth)
    }

    fn comparison(&mut self, depth: usize) -> Result<Expression, ParseError> {
        let left = self.sum(depth)?;
        let op = match self.peek() {
            Some(Token::Symbol("==")) => BinaryOp::Equal,
            Some(Token::Symbol("!=")) => BinaryOp::NotEqual,
            Some(Token::Symbol("<")) => BinaryOp::Less,
            Some(Token::Symbol("<=")) => BinaryOp::LessOrEqual,
            Some(Token::Symbol(">")) => BinaryOp::Greater,
            Some(Token::Symbol(">=")) => BinaryOp::GreaterOrEqual,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("in") => BinaryOp::In,
            _ => return Ok(left),
        };
        self.next += 1;
        let height = self.height;
        let right = self.sum(depth)?;
        self.join(op, (left, height), right)
    }

    fn sum(&mut self, depth: usize) -> Result<Expression, ParseError> {
        let mut left = self.product(depth)?;
        loop {
            let op = match self.peek() {
                Some(Token::Symbol("+")) => BinaryOp::Add,
                Some(Token::Symbol("-")) => BinaryOp::Subtract,
                _ => return Ok(left),
            };
            self.next += 1;
            let height = self.height;
            let right = self.product(depth)?;
            left = self.join(op, (left, height), right)?;
        }
    }

    fn product(&mut self, depth: usize) -> Result<Expression, ParseError> {
        let mut left = self.unary(depth)?;
        loop {
            let op = match self.peek() {
                Some(Token::Symbol("*")) => BinaryOp::Multiply,
                Some(Token::Symbol("/")) => BinaryOp::Divide,
                Some(Token::Symbol("%")) => BinaryOp::Remainder,
                _ => return Ok(left),
            };
            self.next += 1;
            let height = self.height;
            let right = self.unary(depth)?;
            left = self.join(op, (left, height), right)?;
        }
    }

    fn unary(&mut self, depth: usize) -> Result<Expression, ParseError> {
        if depth > DEPTH_MAX {
            return Err(ParseError::too_deep(self.at()));
        }
        if self.take_symbol("-") {
            return Ok(match self.unary(depth + 1)? {
                Expression::Literal(Value::Number(number)) => Expression::Literal(Value::Number(-number)),
                inner => {
                    self.grow()?;
                    Expression::Negate(Box::new(inner))
                }
            });
        }
        self.primary(depth)
    }

    fn primary(&mut self, depth: usize) -> Result<Expression, ParseError> {
        let at = self.at();
        let Some((_, token)) = self.tokens.get(self.next).cloned() else {
            return Err(ParseError::new(at, "the expression ends where a value was expected"));
        };
        self.next += 1;
        self.height = 1;
        match token {
            Token::Number(number) => Ok(Expression::Literal(Value::Number(number))),
            Token::String(text) => Ok(Expression::Literal(Value::String(text))),
            Token::Symbol("(") => {
                let inner = self.or(depth + 1)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Symbol("[") => self.list(),
            Token::Word(word) => self.word(at, &word, depth),
            other => Err(ParseError::new(at, format!("expected a value, found {}", other.name()))),
        }
    }

    fn list(&mut self) -> Result<Expression, ParseError> {
        let mut items = Vec::new();
        while !self.take_symbol("]") {
            if !items.is_empty() {
                self.expect(",")?;
            }
            let at = self.at();
            match self.unary(DEPTH_MAX - 1)? {
                Expression::Literal(item) if !matches!(item, Value::List(_) | Value::Null) => items.push(item),
                _ => {
                    return Err(ParseError::new(
                        at,
                        "a list holds strings, numbers, true and false only",
                    ));
                }
            }
            if items.len() > LIST_LITERALS_MAX {
                return Err(ParseError::new(
                    at,
                    format!("a list holds at most {LIST_LITERALS_MAX} values"),
                ));
            }
        }
        self.height = 1;
        Ok(Expression::Literal(Value::List(items)))
    }

    fn word(&mut self, at: usize, word: &str, depth: usize) -> Result<Expression, ParseError> {
        let lower = word.to_ascii_lowercase();
        if self.take_symbol("[") {
            return self.named(at, &lower);
        }
        match lower.as_str() {
            "true" => return Ok(Expression::Literal(Value::Bool(true))),
            "false" => return Ok(Expression::Literal(Value::Bool(false))),
            _ if self.element.as_deref() == Some(word) => return Ok(quantifier::ELEMENT),
            _ => {}
        }
        if !self.take_symbol("(") {
            return Err(ParseError::new(
                at,
                format!("'{word}' is not a value; write properties[\"{word}\"] for a property"),
            ));
        }
        if matches!(lower.as_str(), "any" | "all") {
            return self.quantifier(at, lower == "all", depth);
        }
        match lower.as_str() {
            "cohort" => return self.cohort(),
            "lookup" => return self.lookup(depth),
            _ => {}
        }
        let Some(function) = Function::from_name(&lower) else {
            return Err(ParseError::new(at, format!("the function '{word}' is not supported")));
        };
        let mut arguments = vec![self.or(depth + 1)?];
        let mut height = self.height;
        while self.take_symbol(",") {
            arguments.push(self.or(depth + 1)?);
            height = height.max(self.height);
        }
        self.height = height;
        self.grow()?;
        self.expect(")")?;
        let arguments_max = if function == Function::String { 2 } else { 1 };
        if arguments.len() > arguments_max {
            return Err(ParseError::new(
                at,
                format!("{word}() takes {arguments_max} argument(s)"),
            ));
        }
        Ok(Expression::Call { function, arguments })
    }

    /// `any(X, list, condition on X)`, behind its parenthesis (contract X15).
    fn quantifier(&mut self, at: usize, all: bool, depth: usize) -> Result<Expression, ParseError> {
        let name_at = self.at();
        let Some(Token::Word(name)) = self.peek().cloned() else {
            return Err(ParseError::new(name_at, "expected a name for the list's elements"));
        };
        if self.element.is_some() {
            return Err(ParseError::new(at, "any() and all() do not nest"));
        }
        self.next += 1;
        self.expect(",")?;
        let list = self.or(depth + 1)?;
        self.expect(",")?;
        self.element = Some(name);
        let condition = self.or(depth + 1);
        self.element = None;
        let condition = condition?;
        self.expect(")")?;
        let (expression, height) =
            quantifier::expression(all, &list, condition, depth).map_err(|message| ParseError::new(at, message))?;
        self.height = height;
        Ok(expression)
    }

    /// Puts two trees under an operator; `left` comes with its height, `right` was read last.
    fn join(
        &mut self,
        op: BinaryOp,
        (left, height): (Expression, usize),
        right: Expression,
    ) -> Result<Expression, ParseError> {
        self.height = self.height.max(height);
        self.grow()?;
        Ok(binary(op, left, right))
    }

    /// One more level above what was read last.
    fn grow(&mut self) -> Result<(), ParseError> {
        self.height += 1;
        if self.height > HEIGHT_MAX {
            return Err(ParseError::new(
                self.at(),
                format!("more than {HEIGHT_MAX} operators in a row; ask with 'in' and a list"),
            ));
        }
        Ok(())
    }

    /// What stands in brackets behind a word that looks names up.
    fn named(&mut self, at: usize, word: &str) -> Result<Expression, ParseError> {
        let name = self.name_in_quotes("a property name in quotes")?;
        self.expect("]")?;
        let scope = match word {
            "properties" => Scope::Properties,
            "user" => Scope::User,
            "event" => Scope::Event,
            "behaviors" => Scope::Behaviors,
            "computed" => return Ok(Expression::Computed(name)),
            "group" => {
                self.expect("[")?;
                let property = self.name_in_quotes("a property of the group in quotes")?;
                self.expect("]")?;
                return Ok(Expression::Group { key: name, property });
            }
            _ => {
                return Err(ParseError::new(
                    at,
                    "only properties[…], user[…], event[…], behaviors[…], computed[…] and group[…][…] are looked up by name",
                ));
            }
        };
        Ok(Expression::Property { scope, name })
    }

    fn name_in_quotes(&mut self, what: &str) -> Result<String, ParseError> {
        let at = self.at();
        let Some(Token::String(name)) = self.peek().cloned() else {
            return Err(ParseError::new(at, format!("expected {what}")));
        };
        self.next += 1;
        Ok(name)
    }

    /// Behind `cohort(`.
    fn cohort(&mut self) -> Result<Expression, ParseError> {
        let at = self.at();
        let number = match self.peek() {
            // Below 2^53 every integer is a double of its own.
            Some(Token::Number(number)) if number.fract() == 0.0 && *number < 9_007_199_254_740_992.0 => *number as u64,
            _ => {
                return Err(ParseError::new(
                    at,
                    "expected the number of a saved cohort, as in cohort(12)",
                ));
            }
        };
        self.next += 1;
        self.expect(")")?;
        Ok(Expression::Cohort(number))
    }

    /// Behind `lookup(`.
    fn lookup(&mut self, depth: usize) -> Result<Expression, ParseError> {
        let table = self.name_in_quotes("the name of a table in quotes")?;
        self.expect(",")?;
        let column = self.name_in_quotes("the name of a column in quotes")?;
        self.expect(",")?;
        let key = Box::new(self.or(depth + 1)?);
        self.expect(")")?;
        Ok(Expression::Lookup { table, column, key })
    }
}

fn binary(op: BinaryOp, left: Expression, right: Expression) -> Expression {
    Expression::Binary {
        op,
        left: Box::new(left),
        right: Box::new(right),
    }
}

#[cfg(test)]
mod tests;
