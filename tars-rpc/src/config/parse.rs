//! The lines of a config file, and the blocks that they make.

use std::{collections::HashMap, ops::Range};

use super::{document::Entry, error::Faults};

/// Bytes of a file.
pub(super) const MAX_SIZE: usize = 1 << 20;

/// Blocks around a block.
const MAX_DEPTH: usize = 64;

/// What does not count around lines, keys and values.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A block, or several of the same name in the same place.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) entries: Vec<Entry>,
    /// Their places in the list of nodes.
    pub(super) children: Vec<usize>,
    /// The name in the first opening tag, with the angle brackets.
    pub(super) tag: Range<usize>,
    /// Where the line after the last opening tag begins.
    pub(super) start: usize,
    /// Where the line of the last closing tag begins.
    pub(super) end: usize,
}

/// The blocks of a text; the first is the text itself.
pub(super) fn nodes<'t>(text: &'t str, faults: &mut Faults<'t>) -> Vec<Node> {
    let mut parser = Parser::new(text, faults);
    if text.len() > MAX_SIZE {
        let message = format!("the file is larger than {MAX_SIZE} bytes");
        parser.faults.add(0..0, message);
        return parser.nodes;
    }
    let mut at = text.len() - text.trim_start_matches('\u{feff}').len();
    for line in text.get(at..).unwrap_or_default().split_inclusive('\n') {
        let line_end = at + line.len();
        let end = at + line.trim_end_matches(SPACE).len();
        let start = end - line.trim_matches(SPACE).len();
        if parser
            .line(Line {
                at,
                start,
                end,
                line_end,
            })
            .is_err()
        {
            return parser.nodes;
        }
        at = line_end;
    }
    parser.finish()
}

/// A line: where it begins, its text, and where the next one begins.
#[derive(Clone, Copy)]
struct Line {
    at: usize,
    start: usize,
    end: usize,
    line_end: usize,
}

/// There is no sense in what follows.
struct GiveUp;

struct Parser<'t, 'f> {
    text: &'t str,
    faults: &'f mut Faults<'t>,
    nodes: Vec<Node>,
    /// Nodes by the place of their parent and their name.
    by_name: HashMap<(usize, &'t str), usize>,
    /// Open blocks with their tags.
    open: Vec<(usize, Range<usize>)>,
}

impl<'t, 'f> Parser<'t, 'f> {
    fn new(text: &'t str, faults: &'f mut Faults<'t>) -> Self {
        let root = Node {
            end: text.len(),
            ..Node::default()
        };
        Self {
            text,
            faults,
            nodes: vec![root],
            by_name: HashMap::new(),
            open: Vec::new(),
        }
    }

    fn slice(&self, at: Range<usize>) -> &'t str {
        self.text.get(at).unwrap_or_default()
    }

    /// The place of the innermost open block.
    fn current(&self) -> usize {
        self.open.last().map_or(0, |(node, _)| *node)
    }

    fn line(&mut self, line: Line) -> Result<(), GiveUp> {
        let text = self.slice(line.start..line.end);
        if text.starts_with('<') {
            return self.tag(line, text);
        }
        if !text.is_empty() && !text.starts_with('#') {
            self.entry(line, text);
        }
        Ok(())
    }

    fn tag(&mut self, line: Line, text: &'t str) -> Result<(), GiveUp> {
        let Some(len) = text.find('>') else {
            let message = "`>` is missing at the end of a tag";
            self.faults.add(line.start..line.end, message);
            return Ok(());
        };
        let tag = line.start..line.start + len + 1;
        let inside = self.slice(tag.start + 1..tag.end - 1);
        let (name, closes) = match inside.strip_prefix('/') {
            Some(name) => (name.trim_matches(SPACE), true),
            None => (inside.trim_matches(SPACE), false),
        };
        let rest = self.slice(tag.end..line.end).trim_start_matches(SPACE);
        if !rest.is_empty() && !rest.starts_with('#') {
            let message = "text after a tag; it belongs on a line of its own";
            self.faults.add(line.end - rest.len()..line.end, message);
        }
        let plain = name.trim_matches(['<', '/', ' ']);
        if plain.is_empty() {
            self.faults.add(tag, "a block without a name");
        } else if !is_block_name(name) {
            let message = format!(
                "`<` or `/` in the name of a block; a block is opened by `<{plain}>` and closed by `</{plain}>`"
            );
            self.faults.add(tag, message);
        } else if closes {
            self.close(line, tag, name);
        } else {
            return self.open(line, tag, name);
        }
        Ok(())
    }

    fn open(&mut self, line: Line, tag: Range<usize>, name: &'t str) -> Result<(), GiveUp> {
        if self.open.len() == MAX_DEPTH {
            let message = format!("blocks are nested more than {MAX_DEPTH} deep");
            self.faults.add(tag, message);
            return Err(GiveUp);
        }
        let parent = self.current();
        let next = self.nodes.len();
        let node = *self.by_name.entry((parent, name)).or_insert(next);
        if node == next {
            self.nodes.push(Node {
                name: name.to_owned(),
                tag: tag.clone(),
                ..Node::default()
            });
            self.nodes[parent].children.push(node);
        }
        self.nodes[node].start = line.line_end;
        self.open.push((node, tag));
        Ok(())
    }

    fn close(&mut self, line: Line, tag: Range<usize>, name: &str) {
        let opened = self
            .open
            .iter()
            .rposition(|(node, _)| self.nodes[*node].name == name);
        let Some(opened) = opened else {
            let message = match self.open.last() {
                Some((node, _)) => format!(
                    "`</{name}>` closes a block that is not open; the innermost is `<{}>`",
                    self.nodes[*node].name
                ),
                None => format!("`</{name}>` closes a block that is not open"),
            };
            self.faults.add(tag, message);
            return;
        };
        for (node, tag) in self.open.drain(opened + 1..) {
            let inner = &self.nodes[node].name;
            let message = format!("`<{inner}>` is not closed before `</{name}>`");
            self.faults.add(tag, message);
        }
        if let Some((node, _)) = self.open.pop() {
            self.nodes[node].end = line.at;
        }
    }

    fn entry(&mut self, line: Line, text: &'t str) {
        let (key_at, value_at) = match split(text) {
            Some(equals) => {
                let key = line.start..line.start + equals;
                let value = line.start + equals + 1..line.end;
                (self.trimmed(key), Some(self.trimmed(value)))
            }
            None => (line.start..line.end, None),
        };
        if key_at.is_empty() {
            let message = "a key is missing before `=`";
            self.faults.add(line.start..line.start + 1, message);
            return;
        }
        let key = self.unescaped(key_at.clone());
        let value = value_at.clone().map(|at| self.unescaped(at));
        let node = self.current();
        self.nodes[node].entries.push(Entry {
            key,
            value: value.unwrap_or_default(),
            key_at,
            value_at,
            line_end: line.line_end,
        });
    }

    fn trimmed(&self, at: Range<usize>) -> Range<usize> {
        let text = self.slice(at.clone());
        let start = at.end - text.trim_start_matches(SPACE).len();
        start..start + text.trim_matches(SPACE).len()
    }

    fn unescaped(&mut self, at: Range<usize>) -> String {
        let text = self.slice(at.clone());
        if !text.contains('\\') {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut chars = text.char_indices();
        while let Some((i, c)) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next().map(|(_, c)| c) {
                Some(c @ ('\\' | '=')) => out.push(c),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('n') => out.push('\n'),
                other => {
                    let escape: String = ['\\'].into_iter().chain(other).collect();
                    let message = format!(
                        "unknown escape `{escape}`; `\\\\`, `\\=`, `\\t`, `\\r` and `\\n` are known"
                    );
                    let start = at.start + i;
                    self.faults.add(start..start + escape.len(), message);
                }
            }
        }
        out
    }

    fn finish(mut self) -> Vec<Node> {
        for (node, tag) in self.open.drain(..) {
            let message = format!("`<{}>` is never closed", self.nodes[node].name);
            self.faults.add(tag, message);
        }
        self.nodes
    }
}

/// Whether a tag can hold it. Slashes would not be found by paths.
pub(super) fn is_block_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['<', '>', '/', '\n']) && name == name.trim_matches(SPACE)
}

/// The `=` between key and value: the first without a backslash before it.
fn split(line: &str) -> Option<usize> {
    let mut equals = line.match_indices('=').map(|(at, _)| at);
    equals.find(|at| *at == 0 || line.as_bytes().get(at - 1) != Some(&b'\\'))
}

/// A value as it is written in a file; `None` if it would not come back, for spaces around it are not read.
pub(super) fn escape_value(value: &str) -> Option<String> {
    if value.starts_with(' ') || value.ends_with(' ') {
        return None;
    }
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    Some(out)
}

/// A key as it is written in a file; `None` if a line cannot begin with it.
pub(super) fn escape_key(key: &str) -> Option<String> {
    if key.is_empty() || key.starts_with(['#', '<', '\u{feff}']) || key.ends_with('\\') {
        return None;
    }
    Some(escape_value(key)?.replace('=', "\\="))
}
