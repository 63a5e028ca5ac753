//! A run: from config files to a plan of what to change in the output directories.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::config::Config;
use crate::error::{Error, Findings};
use crate::model::Model;
use crate::output::{self, Files, MarkedFile, Plan, Wanted};
use crate::resolve::{self, Input};
use crate::rust;
use crate::source::SourceMap;

/// What a run would do.
#[derive(Debug, Default)]
pub struct Run {
    /// Every file that was read.
    pub inputs: Vec<PathBuf>,
    /// Warnings; errors end a run.
    pub warnings: Vec<Findings>,
    /// The changes, one plan for each output directory.
    pub plans: Vec<Plan>,
    /// The Rust modules that the configs are about, such as `crate::servant::app::server::obj`.
    pub modules: Vec<String>,
}

impl Run {
    /// Reads everything and plans all changes; writes nothing.
    ///
    /// # Errors
    /// All errors in the configs and IDL files, or the first one about the output.
    pub fn new(configs: &[PathBuf]) -> Result<Self, Error> {
        let configs = load(configs)?;
        let mut run = Self::default();
        let mut errors = Vec::new();
        let mut wanted: BTreeMap<PathBuf, Vec<Wanted>> = BTreeMap::new();
        for group in group_by_input(configs) {
            let [first, ..] = group.as_slice() else {
                continue;
            };
            let input = Input {
                files: &first.tars_files,
                base_dir: first.dir(),
                include_dirs: &first.include_dirs,
            };
            let resolve::Output {
                sources,
                diagnostics,
                model,
            } = resolve::resolve(&input);
            let Some(model) = model else {
                errors.push(Findings {
                    sources,
                    diagnostics,
                });
                continue;
            };
            run.inputs
                .extend(sources.files().iter().map(|file| file.path().to_owned()));
            for config in group {
                let dst = absolute(&config.dst_path)?;
                run.inputs.push(config.path.clone());
                run.modules.push(module_path(&config));
                let name = output::config_name(&dst, &absolute(&config.path)?);
                let files = files(&config, &model, &sources);
                wanted.entry(dst).or_default().push(Wanted {
                    config: name,
                    files,
                });
            }
            if !diagnostics.is_empty() {
                run.warnings.push(Findings {
                    sources,
                    diagnostics,
                });
            }
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        for (dst, wanted) in wanted {
            output::check_agreement(&dst, &wanted)?;
            run.plans.push(Plan::new(&dst, wanted)?);
        }
        run.inputs.sort();
        run.inputs.dedup();
        run.modules.sort();
        run.modules.dedup();
        Ok(run)
    }
}

/// All configs, or the errors of all.
fn load(paths: &[PathBuf]) -> Result<Vec<Config>, Error> {
    let mut configs: Vec<Config> = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        match Config::load(path) {
            Ok(config) if configs.iter().any(|other| other.path == config.path) => {}
            Ok(config) => configs.push(config),
            Err(Error::Invalid(findings)) => errors.extend(findings),
            Err(other) => return Err(other),
        }
    }
    if errors.is_empty() {
        Ok(configs)
    } else {
        Err(Error::Invalid(errors))
    }
}

/// The client's and the server's config are about the same IDL, which is to be read, and complained about, once.
fn group_by_input(configs: Vec<Config>) -> Vec<Vec<Config>> {
    let mut groups: Vec<Vec<Config>> = Vec::new();
    for config in configs {
        let same = |other: &Config| {
            other.tars_files == config.tars_files
                && other.include_dirs == config.include_dirs
                && other.dir() == config.dir()
        };
        match groups
            .iter_mut()
            .find(|group| group.first().is_some_and(same))
        {
            Some(group) => group.push(config),
            None => groups.push(vec![config]),
        }
    }
    groups
}

/// All files that a config wants, without the indexes.
fn files(config: &Config, model: &Model, sources: &SourceMap) -> Files {
    let dir = format!(
        "{}/{}/{}",
        config.app_name, config.server_name, config.obj_name
    );
    let mut files = Files::new();
    for body in rust::generate(model, config.with_servant, &config.runtime_crate) {
        let mut origins: Vec<String> = body
            .spans
            .iter()
            .map(|span| file_name(sources.file(span.file).path()))
            .collect();
        origins.sort();
        origins.dedup();
        let rest = output::rest(&body.exports, &body.doc, &body.text);
        files.insert(
            format!("{dir}/{}", body.path),
            MarkedFile::new(&origin(&origins.join(", ")), rest),
        );
    }
    let roots: Vec<&Path> = config
        .tars_files
        .iter()
        .filter_map(|file| file.parent())
        .collect();
    for file in sources.files() {
        // Includes keep their place relative to the first file, if they are below it.
        let path = roots
            .iter()
            .find_map(|root| file.path().strip_prefix(root).ok());
        let path = path.filter(|path| {
            path.components()
                .all(|part| matches!(part, Component::Normal(_)))
        });
        let path = path.map_or_else(
            || file_name(file.path()),
            |path| path.to_string_lossy().replace('\\', "/"),
        );
        let copy = MarkedFile::new(
            &origin(&file_name(file.path())),
            format!("\n{}", file.text()),
        );
        files.insert(format!("{dir}/tars/{path}"), copy);
    }
    files
}

fn origin(names: &str) -> String {
    format!("from {names}. Do not edit: change the IDL and generate again.")
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn module_path(config: &Config) -> String {
    use rust::naming::{Case, natural};
    let levels = [&config.app_name, &config.server_name, &config.obj_name];
    let levels = levels.map(|level| natural(level, Case::Snake, &[]));
    format!("{}::{}", config.namespace_prefix, levels.join("::"))
}

/// Without `.` and `..`, so that configs which name one directory in different ways meet. The path may not exist yet.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    let path = std::path::absolute(path).map_err(|e| Error::io("find", path, e))?;
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    Ok(clean)
}
