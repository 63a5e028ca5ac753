//! The `mod.rs` files, made from what else is in the tree: configs that share a directory need not know each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::error::Error;
use crate::rust::layout;
use crate::rust::naming::{Case, bare, natural, of_file};

use super::Files;
use super::marker::MarkedFile;

const STEP: &str = "    ";
const ORIGIN: &str = "from the files beside it. Do not edit: generate again.";

/// The whole API of a servant is there, whether or not the crate uses and exports it; and what a function, a value or
/// a comment is like, and whether two things have one name, is up to the IDL.
const ALLOW: &str = "\
#[allow(dead_code, unreachable_pub, unused_imports)]
#[allow(
    clippy::approx_constant,
    clippy::doc_lazy_continuation,
    clippy::doc_overindented_list_items,
    clippy::module_inception,
    clippy::too_many_arguments,
    clippy::type_complexity,
    clippy::wrong_self_convention
)]
";

/// The levels of the output: apps, their servers, their objs.
type Levels<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<&'a str>>>;

/// Adds the `mod.rs` files to a tree that has none.
pub(super) fn add(files: &mut Files, dst: &Path) -> Result<(), Error> {
    let mut indexes = Files::new();
    let mut levels = Levels::new();
    for path in files.keys().filter(|path| path.ends_with(".rs")) {
        if let [app, server, obj, _, ..] = path.split('/').collect::<Vec<_>>()[..] {
            levels
                .entry(app)
                .or_default()
                .entry(server)
                .or_default()
                .insert(obj);
        }
    }
    for (app, servers) in &levels {
        for (server, objs) in servers {
            for obj in objs {
                let dir = format!("{app}/{server}/{obj}");
                let classes = format!("{dir}/classes");
                let types = directory(files, &classes, &[]);
                let has_types = types.is_some();
                indexes.extend(types.map(|index| (format!("{classes}/mod.rs"), index)));
                let first: &[&str] = if has_types { &["classes"] } else { &[] };
                indexes.extend(
                    directory(files, &dir, first).map(|index| (format!("{dir}/mod.rs"), index)),
                );
            }
        }
    }
    if let Some(root) = root(files, &levels, dst)? {
        indexes.insert("mod.rs".to_owned(), root);
    }
    files.extend(indexes);
    Ok(())
}

/// The index of the Rust files in a directory and of the modules `more`; `None` if there are none.
fn directory(files: &Files, dir: &str, more: &[&str]) -> Option<MarkedFile> {
    let mut modules: Vec<(String, Vec<String>)> = Vec::new();
    let mut exports = Vec::new();
    let mut configs = BTreeSet::new();
    for (path, file) in files {
        let Some(path) = path
            .strip_prefix(dir)
            .and_then(|path| path.strip_prefix('/'))
        else {
            continue;
        };
        configs.extend(file.configs.iter().cloned());
        let Some(stem) = path.strip_suffix(".rs").filter(|stem| !stem.contains('/')) else {
            continue;
        };
        modules.push((
            of_file(stem),
            file.doc().map(|line| format!("///{line}")).collect(),
        ));
        exports.extend(file.exports().into_iter().map(|name| (stem, name)));
    }
    for name in more {
        modules.push(((*name).to_owned(), vec!["/// Types of the IDL.".to_owned()]));
    }
    if modules.is_empty() {
        return None;
    }
    modules.sort();
    let declarations = modules.into_iter().map(|(name, mut lines)| {
        lines.push(format!("pub mod {name};"));
        lines.join("\n")
    });
    let mut text = layout::group(declarations.collect());
    if !exports.is_empty() {
        let uses = exports
            .into_iter()
            .map(|(stem, name)| format!("pub use self::{stem}::{name};"));
        text = format!("{text}\n{}", layout::group(uses.collect()));
    }
    let mut file = MarkedFile::new(ORIGIN, format!("\n{text}"));
    file.configs = configs;
    Some(file)
}

/// The index of the whole tree. Directories keep the names of Tars, so inline modules carry their `#[path]`.
fn root(files: &Files, levels: &Levels<'_>, dst: &Path) -> Result<Option<MarkedFile>, Error> {
    let mut apps = Vec::new();
    for (app, module) in modules(levels.keys(), dst)? {
        let mut servers = Vec::new();
        for (server, module) in modules(levels[app].keys(), &dst.join(app))? {
            let mut objs = Vec::new();
            for (obj, module) in modules(&levels[app][server], &dst.join(app).join(server))? {
                let path = if obj == bare(&module) {
                    String::new()
                } else {
                    format!("{STEP}{STEP}#[path = \"{obj}/mod.rs\"]\n")
                };
                let doc = format!("{STEP}{STEP}/// The servant `{app}.{server}.{obj}`.");
                objs.push(format!("{doc}\n{path}{STEP}{STEP}pub mod {module};"));
            }
            let head = format!(
                "{STEP}/// The server `{app}.{server}`.\n{STEP}#[path = \"{server}\"]\n{STEP}pub mod {module}"
            );
            servers.push(format!("{head} {{\n{}{STEP}}}\n", layout::group(objs)));
        }
        let head = format!("/// The app `{app}`.\n{ALLOW}#[path = \"{app}\"]\npub mod {module}");
        apps.push(format!("{head} {{\n{}}}\n", servers.join("\n")));
    }
    if apps.is_empty() {
        return Ok(None);
    }
    let mut file = MarkedFile::new(ORIGIN, format!("\n{}", apps.join("\n")));
    file.configs = files
        .values()
        .flat_map(|file| file.configs.iter().cloned())
        .collect();
    Ok(Some(file))
}

/// The module of each directory, which must differ.
fn modules<'a>(
    dirs: impl IntoIterator<Item = &'a &'a str>,
    parent: &Path,
) -> Result<Vec<(&'a str, String)>, Error> {
    let mut modules = BTreeMap::new();
    for &dir in dirs {
        let module = natural(dir, Case::Snake, &[]);
        if let Some(other) = modules.insert(module, dir) {
            let names = [other.to_owned(), dir.to_owned()];
            return Err(Error::SameModule {
                dir: parent.to_owned(),
                names,
            });
        }
    }
    Ok(modules
        .into_iter()
        .map(|(module, dir)| (dir, module))
        .collect())
}
