//! The parser: recursive descent over UTF-8 text, bounded in depth.

use super::{Json, Members, NumberText, has_repeats};

/// Deepest nesting of arrays and objects. Events nest three deep; more than this is an attack on the stack.
pub const DEPTH_MAX: usize = 64;

/// Why bytes are not JSON, and where. Holds nothing of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON at byte {at}")]
pub struct SyntaxError {
    pub at: usize,
}

/// What a body held: its items in order, each with the bytes it took.
#[cfg_attr(test, derive(Debug))]
pub struct Document {
    pub items: Vec<(Json, usize)>,
    /// Some bytes were not UTF-8 and became U+FFFD.
    pub invalid_utf8: bool,
}

/// One JSON value, read as a list: an array gives its elements, anything else itself.
pub fn parse_document(bytes: &[u8]) -> Result<Document, SyntaxError> {
    with_text(bytes, |text| {
        let mut parser = Parser::new(text);
        parser.skip_space();
        let mut items = Vec::new();
        if parser.peek() == Some(b'[') {
            parser.at += 1;
            parser.elements(|parser| {
                let start = parser.at;
                let item = parser.value(1)?;
                items.push((item, parser.at - start));
                Ok(())
            })?;
        } else {
            let start = parser.at;
            let item = parser.value(0)?;
            items.push((item, parser.at - start));
        }
        parser.end()?;
        Ok(items)
    })
}

/// One JSON value a line (NDJSON); empty lines are skipped.
pub fn parse_lines(bytes: &[u8]) -> Result<Document, SyntaxError> {
    with_text(bytes, |text| {
        let mut items = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            items.push((parse_text(line)?, line.len()));
        }
        Ok(items)
    })
}

/// Exactly one JSON value.
pub fn parse_text(text: &str) -> Result<Json, SyntaxError> {
    let mut parser = Parser::new(text);
    parser.skip_space();
    let value = parser.value(0)?;
    parser.end()?;
    Ok(value)
}

fn with_text(
    bytes: &[u8],
    parse: impl FnOnce(&str) -> Result<Vec<(Json, usize)>, SyntaxError>,
) -> Result<Document, SyntaxError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Document {
            items: parse(text)?,
            invalid_utf8: false,
        }),
        // Every structural character is ASCII, and the replacement never swallows one: the structure stays as it was.
        Err(_) => Ok(Document {
            items: parse(&String::from_utf8_lossy(bytes))?,
            invalid_utf8: true,
        }),
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Members of the objects that are open, outermost first. Each object takes its own when it closes and knows how many
    /// they are, so that no list is moved while it grows.
    open: Members,
}

/// Room for what the pipeline adds to an event: country, system, browser, import mark.
const SPARE_MEMBERS: usize = 4;

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parser<'a> {
        Parser {
            text,
            bytes: text.as_bytes(),
            at: 0,
            open: Members::new(),
        }
    }

    fn error<T>(&self) -> Result<T, SyntaxError> {
        Err(SyntaxError { at: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        self.skip_space();
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            self.error()
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, SyntaxError> {
        if depth > DEPTH_MAX {
            return self.error();
        }
        match self.peek() {
            Some(b'"') => self.string().map(Json::String),
            Some(b'{') => self.object(depth).map(Json::Object),
            Some(b'[') => {
                self.at += 1;
                let mut items = Vec::new();
                self.elements(|parser| {
                    items.push(parser.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Json::Array(items))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'N') => self.word("NaN", Json::Null),
            Some(b'I') => self.word("Infinity", Json::Null),
            _ => self.error(),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, SyntaxError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return self.error();
        }
        self.at += word.len();
        Ok(value)
    }

    /// The elements of an array whose bracket has been read, and the closing bracket.
    fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), SyntaxError>) -> Result<(), SyntaxError> {
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_space();
            element(self)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.error(),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Members, SyntaxError> {
        self.at += 1;
        let first = self.open.len();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Members::new());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return self.error();
            }
            let name = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return self.error();
            }
            self.at += 1;
            self.skip_space();
            let value = self.value(depth + 1)?;
            self.open.push((name, value));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    let mut members = Members::with_capacity(self.open.len() - first + SPARE_MEMBERS);
                    members.extend(self.open.drain(first..));
                    return Ok(keep_last(members));
                }
                _ => return self.error(),
            }
        }
    }

    fn number(&mut self) -> Result<Json, SyntaxError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
            if self.peek() == Some(b'I') {
                return self.word("Infinity", Json::Null);
            }
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return self.error(),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Json::Number(NumberText::new(&self.text[start..self.at])))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { self.error() }
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        self.at += 1;
        let start = self.at;
        let length = self.bytes[start..].iter().position(|byte| matches!(byte, b'"' | b'\\'));
        let Some(length) = length else {
            self.at = self.bytes.len();
            return self.error();
        };
        self.at += length;
        let plain = &self.text[start..self.at];
        if self.bytes[self.at] == b'"' {
            self.at += 1;
            return Ok(plain.to_owned());
        }
        self.escaped(plain.to_owned())
    }

    /// The rest of a string from its first backslash on.
    fn escaped(&mut self, mut out: String) -> Result<String, SyntaxError> {
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => {
                    let rest = &self.bytes[self.at..];
                    let length = rest
                        .iter()
                        .position(|byte| matches!(byte, b'"' | b'\\'))
                        .unwrap_or(rest.len());
                    out.push_str(&self.text[self.at..self.at + length]);
                    self.at += length;
                }
                None => return self.error(),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let Some(byte) = self.peek() else { return self.error() };
        let character = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return self.error(),
        };
        self.at += 1;
        Ok(character)
    }

    /// `XXXX` or `XXXX\uXXXX`, after the first `\u`.
    fn unicode_escape(&mut self) -> Result<char, SyntaxError> {
        let first = self.hex4()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if (0xd800..0xdc00).contains(&first) && self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).expect("a surrogate pair is a scalar value"));
            }
            self.at = back;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, SyntaxError> {
        let Some(digits) = self.bytes.get(self.at..self.at + 4) else {
            return self.error();
        };
        let mut code = 0;
        for digit in digits {
            match char::from(*digit).to_digit(16) {
                Some(digit) => code = code << 4 | digit,
                None => return self.error(),
            }
        }
        self.at += 4;
        Ok(code)
    }
}

/// Keeps the last value of every repeated name, at the place of the first.
fn keep_last(members: Members) -> Members {
    if !has_repeats(members.iter().map(|(name, _)| name.as_str())) {
        return members;
    }
    let mut places = hashbrown::HashMap::new();
    let mut kept = Members::new();
    for (name, value) in members {
        if let Some(&place) = places.get(&name) {
            let slot: &mut (String, Json) = &mut kept[place];
            slot.1 = value;
        } else {
            places.insert(name.clone(), kept.len());
            kept.push((name, value));
        }
    }
    kept
}
