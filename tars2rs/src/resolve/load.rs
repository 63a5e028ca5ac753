//! Reads and parses the files of a run and everything that they include.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::{Input, Unreadable};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, ReadError, SourceMap, Span};
use crate::syntax::ast::{self, File};
use crate::syntax::parse;

/// Returns the files in the order of their ids.
pub(super) fn load(
    input: &Input<'_>,
    sources: &mut SourceMap,
    unreadable: &mut Vec<Unreadable>,
    diagnostics: &mut Diagnostics,
) -> Vec<File> {
    for (index, path) in input.files.iter().enumerate() {
        if let Err(error) = sources.load_root(path) {
            sources.add_absent(path);
            let diagnostic = cannot_read(path, &error);
            unreadable.push(Unreadable { index, diagnostic });
        }
    }
    // A queue: includes are appended to the sources while they are walked over, each file once.
    let mut files = Vec::new();
    while let Some(source) = sources.files().get(files.len()) {
        let id = FileId(files.len() as u32);
        diagnostics.extend(source.damage().map(|at| not_utf8(id, at)));
        let mut file = parse(id, source.text(), diagnostics);
        for include in &file.includes {
            if let Err(error) = load_include(input, sources, id, include) {
                file.lost.everything = true;
                diagnostics.push(error);
            }
        }
        files.push(file);
    }
    let mut rest = File::default();
    rest.lost.everything = !unreadable.is_empty();
    files.push(rest);
    files
}

fn load_include(
    input: &Input<'_>,
    sources: &mut SourceMap,
    from: FileId,
    include: &ast::Include,
) -> Result<FileId, Diagnostic> {
    let own_dir = sources
        .file(from)
        .path()
        .parent()
        .unwrap_or_else(|| Path::new(""));
    let dirs = [own_dir, input.base_dir]
        .into_iter()
        .chain(input.include_dirs.iter().map(PathBuf::as_path));
    let mut places: Vec<PathBuf> = Vec::new();
    for dir in dirs {
        let place = tidy(&dir.join(&include.path));
        if !places.contains(&place) {
            places.push(place);
        }
    }
    for place in &places {
        match sources.load_include(place, &include.path, include.span) {
            Ok(id) => return Ok(id),
            Err(ReadError::Io(error)) if is_absent(error.kind()) => sources.add_absent(place),
            Err(error) => return Err(cannot_read(place, &error).at(include.span, "included here")),
        }
    }
    Err(missing_include(include.span, &include.path, &places))
}

fn is_absent(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidFilename
    )
}

/// Removes `.` components, for the eye.
fn tidy(path: &Path) -> PathBuf {
    path.components()
        .filter(|component| !matches!(component, Component::CurDir))
        .collect()
}

fn cannot_read(path: &Path, error: &ReadError) -> Diagnostic {
    Diagnostic::new(
        Code::UnreadableFile,
        format!("cannot read `{}`: {error}", path.display()),
    )
}

fn not_utf8(file: FileId, at: u32) -> Diagnostic {
    let end = at + char::REPLACEMENT_CHARACTER.len_utf8() as u32;
    Diagnostic::new(Code::NotUtf8, "this file is not UTF-8")
        .at(
            Span {
                file,
                start: at,
                end,
            },
            "the first bad byte",
        )
        .note("comments that cannot be read are left out of the generated code")
        .help("save it as UTF-8, for instance with `iconv -f GB18030 -t UTF-8`")
}

fn missing_include(span: Span, path: &str, places: &[PathBuf]) -> Diagnostic {
    let mut error =
        Diagnostic::new(Code::MissingInclude, format!("cannot find `{path}`")).at(span, "");
    for place in places {
        error = error.note(format!("there is no `{}`", place.display()));
    }
    if path.contains('\\') {
        error.help("write `/` between directories")
    } else {
        error.help("includes are looked for beside the including file, beside the config, then in `includeDirs`")
    }
}
