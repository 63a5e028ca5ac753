//! The files of a run: their text, where they came from, and the way from a [`Span`] back to line and column.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files beyond this size are refused: no IDL is that big, and offsets must fit in a `u32`.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A range of bytes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from the start of `self` to the end of `other`, which must be in the same file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            end: other.end,
            ..self
        }
    }
}

/// Where a person looks for a byte: both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// Line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

/// A file that was read.
#[derive(Debug)]
pub struct SourceFile {
    path: PathBuf,
    real_path: PathBuf,
    root: bool,
    text: String,
    /// Bytes of the byte-order mark that was dropped.
    skipped: usize,
    /// The first character that stands for bytes which are not UTF-8.
    damage: Option<u32>,
    /// Offset of the first byte of each line.
    lines: Vec<u32>,
}

impl SourceFile {
    /// The path as the user wrote it, or for an include as it was found.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The canonical path: absolute, links followed.
    #[must_use]
    pub fn real_path(&self) -> &Path {
        &self.real_path
    }

    /// Whether the run was asked for this file itself, not only for one that includes it.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.root
    }

    /// The text, without a byte-order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the file is not UTF-8 for the first time: bad bytes became U+FFFD, which only comments may hold.
    #[must_use]
    pub fn damage(&self) -> Option<u32> {
        self.damage
    }

    /// Where a byte of the text is in the file, which may start with a byte-order mark. Meaningless after
    /// [`damage`](Self::damage).
    #[must_use]
    pub fn offset_on_disk(&self, offset: u32) -> usize {
        self.skipped + offset as usize
    }

    /// Line and column of a byte.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let line = self.line_index(offset);
        let start = self.lines[line] as usize;
        let before = self.text.get(start..offset as usize).unwrap_or_default();
        LineColumn {
            line: line + 1,
            column: before.chars().count() + 1,
        }
    }

    /// The byte range of a line counted from 1, without its line end.
    #[must_use]
    pub fn line_range(&self, line: usize) -> std::ops::Range<usize> {
        let Some(&start) = self.lines.get(line.wrapping_sub(1)) else {
            return 0..0;
        };
        let start = start as usize;
        let end = self
            .lines
            .get(line)
            .map_or(self.text.len(), |&next| next as usize);
        start..start + self.text[start..end].trim_end_matches(['\r', '\n']).len()
    }

    fn line_index(&self, offset: u32) -> usize {
        self.lines
            .partition_point(|&start| start <= offset)
            .saturating_sub(1)
    }
}

/// An `#include` that was resolved.
#[derive(Debug)]
pub struct Include {
    /// The file that has the `#include`.
    pub from: FileId,
    /// The file that it means.
    pub to: FileId,
    /// The path between the quotes.
    pub written: String,
    /// Where that path is.
    pub span: Span,
}

/// All files of a run. Each is read once, whatever names lead to it.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    by_real_path: HashMap<PathBuf, FileId>,
    includes: Vec<Include>,
    absent: Vec<PathBuf>,
}

/// Why a file could not become a source.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is a directory, a device or a pipe.
    #[error("it is not a regular file")]
    NotAFile,
    /// Beyond [`MAX_FILE_BYTES`].
    #[error("it is larger than {} MiB", MAX_FILE_BYTES >> 20)]
    TooLarge,
    /// A NUL byte: no text.
    #[error("it is not a text: line {}, column {} holds a NUL byte", .0.line, .0.column)]
    Binary(LineColumn),
}

impl SourceMap {
    /// Reads a file that the run was asked for.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is no text.
    pub fn load_root(&mut self, path: &Path) -> Result<FileId, ReadError> {
        let id = self.load(path)?;
        self.files[id.0 as usize].root = true;
        Ok(id)
    }

    /// Reads a file that another one includes.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is no text.
    pub fn load_include(
        &mut self,
        path: &Path,
        written: &str,
        span: Span,
    ) -> Result<FileId, ReadError> {
        let to = self.load(path)?;
        self.includes.push(Include {
            from: span.file,
            to,
            written: written.to_owned(),
            span,
        });
        Ok(to)
    }

    /// Adds a text that is in no IDL file, such as a config; `path` is used as it is.
    pub fn add(&mut self, path: PathBuf, text: String) -> FileId {
        let real_path = path.clone();
        let decoded = Decoded {
            text,
            skipped: 0,
            damage: None,
        };
        self.insert(path, real_path, decoded)
    }

    /// The file of an id.
    #[must_use]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// Every file read, in order; indexes are [`FileId`]s.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Every `#include` that was resolved.
    #[must_use]
    pub fn includes(&self) -> &[Include] {
        &self.includes
    }

    /// Files that were looked for where they are not. One that appears there would change what a run does.
    #[must_use]
    pub fn absent(&self) -> &[PathBuf] {
        &self.absent
    }

    /// Remembers a place where a file is not.
    pub(crate) fn add_absent(&mut self, path: &Path) {
        self.absent.push(path.to_owned());
    }

    /// The text of a range.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file)
            .text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// Line and column of the start of a range.
    #[must_use]
    pub fn line_column(&self, span: Span) -> LineColumn {
        self.file(span.file).line_column(span.start)
    }

    /// Line and column of the end of a range.
    #[must_use]
    pub fn end(&self, span: Span) -> LineColumn {
        self.file(span.file).line_column(span.end)
    }

    fn load(&mut self, path: &Path) -> Result<FileId, ReadError> {
        let real_path = fs::canonicalize(path)?;
        if let Some(&id) = self.by_real_path.get(&real_path) {
            return Ok(id);
        }
        let decoded = decode(read(&real_path)?)?;
        Ok(self.insert(path.to_owned(), real_path, decoded))
    }

    fn insert(&mut self, path: PathBuf, real_path: PathBuf, decoded: Decoded) -> FileId {
        let Decoded {
            text,
            skipped,
            damage,
        } = decoded;
        let id = FileId(self.files.len() as u32);
        let line_ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let lines = std::iter::once(0)
            .chain(line_ends.map(|(at, _)| at as u32 + 1))
            .collect();
        self.by_real_path.insert(real_path.clone(), id);
        self.files.push(SourceFile {
            path,
            real_path,
            root: false,
            text,
            skipped,
            damage,
            lines,
        });
        id
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    if !fs::metadata(path)?.is_file() {
        return Err(ReadError::NotAFile);
    }
    // The limit is on what is read, not on what the metadata promised: a file may grow meanwhile.
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge);
    }
    Ok(bytes)
}

struct Decoded {
    text: String,
    skipped: usize,
    damage: Option<u32>,
}

/// Old files may have comments in GBK, which is no reason to refuse them.
fn decode(bytes: Vec<u8>) -> Result<Decoded, ReadError> {
    let (mut text, mut damage) = match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to() as u32;
            (
                String::from_utf8_lossy(error.as_bytes()).into_owned(),
                Some(at),
            )
        }
    };
    if let Some(nul) = text.find('\0') {
        return Err(ReadError::Binary(end_of(&text[..nul])));
    }
    let mut skipped = 0;
    if text.starts_with(BYTE_ORDER_MARK) {
        skipped = BYTE_ORDER_MARK.len_utf8();
        text.drain(..skipped);
        damage = damage.map(|at| at - skipped as u32);
    }
    Ok(Decoded {
        text,
        skipped,
        damage,
    })
}

fn end_of(text: &str) -> LineColumn {
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    LineColumn {
        line: text.matches('\n').count() + 1,
        column: last_line.chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (SourceMap, FileId) {
        let mut sources = SourceMap::default();
        let id = sources.add(PathBuf::from("a.tars"), text.to_owned());
        (sources, id)
    }

    #[test]
    fn columns_count_characters() {
        let (sources, id) = one("é ok\r\nsecond\n");
        let at = |offset| sources.file(id).line_column(offset);
        assert_eq!(at(0), LineColumn { line: 1, column: 1 });
        assert_eq!(at(3), LineColumn { line: 1, column: 3 });
        assert_eq!(at(7), LineColumn { line: 2, column: 1 });
        assert_eq!(at(14), LineColumn { line: 3, column: 1 });
    }

    #[test]
    fn lines_come_without_their_end() {
        let (sources, id) = one("one\r\ntwo\n\nfour");
        let line = |number| &sources.file(id).text()[sources.file(id).line_range(number)];
        assert_eq!(
            [line(1), line(2), line(3), line(4), line(5)],
            ["one", "two", "", "four", ""]
        );
    }

    #[test]
    fn byte_order_mark_is_dropped() {
        let decoded = decode(b"\xef\xbb\xbfmodule \xff".to_vec()).unwrap();
        assert_eq!(decoded.text, "module \u{fffd}");
        assert_eq!(decoded.damage, Some(7));
    }

    #[test]
    fn a_nul_is_no_text() {
        let error = decode(b"a\nb\0".to_vec()).err().unwrap();
        assert_eq!(
            error.to_string(),
            "it is not a text: line 2, column 2 holds a NUL byte"
        );
    }

    #[test]
    fn a_file_is_read_once_by_whatever_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("a.tars"), "module A {};").unwrap();
        let mut sources = SourceMap::default();
        let first = sources.load_root(&dir.path().join("a.tars")).unwrap();
        let again = sources
            .load_root(&dir.path().join("sub/../a.tars"))
            .unwrap();
        assert_eq!(first, again);
        assert_eq!(sources.files().len(), 1);
    }

    #[test]
    fn a_directory_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let error = SourceMap::default().load_root(dir.path()).unwrap_err();
        assert!(matches!(error, ReadError::NotAFile));
    }
}
