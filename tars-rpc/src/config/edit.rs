//! Changes of a document: a splice of its text, read again.

use super::{
    ConfigError, Document,
    document::{Block, split_path},
    error::Faults,
    parse::{SPACE, escape_key, escape_value, is_block_name},
};

impl Document {
    /// Gives a key another value, in the path style of TarsCpp: `/tars/application/server<app>`.
    ///
    /// Only the text of the value changes, of equal keys that of the last one. A key that is not there is added after
    /// the others of its block, and blocks that are not there are added, too.
    ///
    /// # Errors
    /// The path is none, or the value begins or ends with a space, which a file cannot hold. The document is
    /// unchanged then.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), ConfigError> {
        let fail = |what: &str| ConfigError::edit(&self.name, format!("{what}: `{path}`"));
        let (blocks, key) = split_path(path)
            .filter(|(blocks, _)| blocks.starts_with('/'))
            .ok_or_else(|| fail("a path has the form /block/block<key>"))?;
        let written_key = escape_key(key).ok_or_else(|| fail("this cannot be a key"))?;
        let written =
            escape_value(value).ok_or_else(|| fail("a value cannot begin or end with a space"))?;

        let names = blocks.split('/').filter(|name| !name.is_empty());
        let mut missing: Vec<&str> = names.collect();
        if !missing.iter().all(|name| is_block_name(name)) {
            return Err(fail("this cannot be the name of a block"));
        }
        missing.reverse();
        let mut block = self.root();
        while let Some(inner) = missing.last().and_then(|name| block.block(name)) {
            block = inner;
            missing.pop();
        }
        let entry = match value {
            "" => written_key,
            _ => format!("{written_key}={written}"),
        };
        let (at, text) = match block.entry(key) {
            Some(found) if missing.is_empty() => match &found.value_at {
                Some(at) => (at.clone(), written),
                None => (found.key_at.clone(), entry),
            },
            _ => {
                missing.reverse();
                let (at, text) = self.insertion(block, &missing, &entry);
                (at..at, text)
            }
        };
        let mut edited = self.text.clone();
        edited.replace_range(at, &text);
        let edited = Self::parse_named(self.name.clone(), edited)?;
        if edited.get(path) != Some(value) {
            return Err(fail("this cannot be written"));
        }
        *self = edited;
        Ok(())
    }

    /// The same document with all macros, `${name}`, in its values replaced, as `tarsnode` does with the templates of
    /// servers.
    ///
    /// ```
    /// use tars_rpc::config::Document;
    ///
    /// let template = Document::parse("<tars>\n  path=/data/${app}.${server}/\n</tars>\n")?;
    /// let value = |name: &str| match name {
    ///     "app" => Some("PHPTest".to_owned()),
    ///     "server" => Some("PHPServer".to_owned()),
    ///     _ => None,
    /// };
    /// assert_eq!(template.expand(value)?.get("/tars<path>"), Some("/data/PHPTest.PHPServer/"));
    /// # Ok::<(), tars_rpc::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// Macros without a value, with their places.
    pub fn expand(&self, value: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut faults = Faults::new(&self.text);
        let mut splices = Vec::new();
        for entry in self.nodes.iter().flat_map(|node| &node.entries) {
            let at = entry.value_at.clone().unwrap_or_default();
            let raw = self.text.get(at.clone()).unwrap_or_default();
            for (start, name) in macros(raw) {
                let start = at.start + start;
                let place = start..start + name.len() + "${}".len();
                match value(name) {
                    Some(value) => splices.push((place, value)),
                    None => faults.add(place, unknown_macro(name)),
                }
            }
        }
        faults.into_result(&self.name)?;
        splices.sort_by_key(|(place, _)| place.start);
        let mut text = self.text.clone();
        for (place, value) in splices.into_iter().rev() {
            // Spaces at the ends are kept here: the value may stand in the middle of another.
            let value = value.trim_matches(SPACE);
            text.replace_range(place, &escape_value(value).unwrap_or_default());
        }
        Self::parse_named(self.name.clone(), text)
    }

    /// Where an entry goes that is not there yet, and its text with the blocks around it.
    fn insertion(&self, block: Block<'_>, missing: &[&str], entry: &str) -> (usize, String) {
        let node = block.node();
        let is_root = block.name().is_empty();
        let at = match (node.entries.last(), missing) {
            (Some(last), []) => last.line_end,
            (None, []) if is_root => self.text.len(),
            (None, []) => node.start,
            _ => node.end,
        };
        let newline = if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let indent = match (node.entries.last(), node.children.first()) {
            (Some(entry), _) => self.indent(entry.key_at.start).to_owned(),
            (None, Some(child)) => self.indent(self.nodes[*child].tag.start).to_owned(),
            (None, None) if is_root => String::new(),
            (None, None) => format!("{}  ", self.indent(node.tag.start)),
        };
        let mut text = String::new();
        if at > 0 && self.text.as_bytes().get(at - 1) != Some(&b'\n') {
            text.push_str(newline);
        }
        let mut line = |depth: usize, content: &str| {
            text.push_str(&indent);
            text.push_str(&"  ".repeat(depth));
            text.push_str(content);
            text.push_str(newline);
        };
        for (depth, name) in missing.iter().enumerate() {
            line(depth, &format!("<{name}>"));
        }
        line(missing.len(), entry);
        for (depth, name) in missing.iter().enumerate().rev() {
            line(depth, &format!("</{name}>"));
        }
        (at, text)
    }

    /// The space before what stands at an offset.
    fn indent(&self, offset: usize) -> &str {
        let before = self.text.get(..offset).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.get(line..).unwrap_or_default();
        line.trim_start_matches('\u{feff}')
    }
}

/// Places and names of the macros of a value.
pub(super) fn macros(value: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once("${")?;
        let at = value.len() - after.len() - "${".len();
        let (name, after) = after.split_once('}')?;
        rest = after;
        Some((at, name))
    })
}

pub(super) fn unknown_macro(name: &str) -> String {
    format!("the macro `${{{name}}}` has no value")
}
