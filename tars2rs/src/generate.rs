//! A run: from config files to a plan of what to change in the output directories.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::config::{Config, Format};
use crate::diagnostic::Diagnostic;
use crate::error::{Error, Findings};
use crate::model::Model;
use crate::output::stamp::{self, Key, Stamp};
use crate::output::{self, Files, Keep, MarkedFile, Plan, Wanted};
use crate::resolve::{self, Input};
use crate::rust::{self, Backend, Body};
use crate::rustfmt;
use crate::source::SourceMap;

/// What a run would do.
#[derive(Debug, Default)]
pub struct Run {
    /// Every file that was read.
    pub inputs: Vec<PathBuf>,
    /// Files that were looked for where they are not.
    pub absent: Vec<PathBuf>,
    /// Warnings; errors end a run.
    pub warnings: Vec<Findings>,
    /// The changes, one plan for each output directory.
    pub plans: Vec<Plan>,
    /// How many files are as they should be.
    pub unchanged: usize,
    /// The Rust modules that the configs are about, such as `crate::servant::app::server::obj`.
    pub modules: Vec<String>,
    /// The output directories.
    pub directories: Vec<PathBuf>,
    /// What [`apply`](Self::apply) leaves for the next run.
    stamp: Option<(Key, Stamp)>,
}

impl Run {
    /// Reads everything and plans all changes; writes nothing. The output goes to `dst`, where nothing else is kept,
    /// or to the `dstPath` of each config.
    ///
    /// # Errors
    /// All errors in the configs and IDL files, or the first one about the output.
    pub fn new(configs: &[PathBuf], dst: Option<&Path>) -> Result<Self, Error> {
        let key = Key::new(configs, dst);
        let configs = load(configs)?;
        let directories = directories(&configs, dst)?;
        if let Some(run) = Self::repeated(&key, &directories)? {
            return Ok(run);
        }
        let mut stamp = Stamp::default();
        // What rustfmt does depends on files that nobody here knows.
        let is_complete = configs
            .iter()
            .all(|config| config.options.format != Format::Rustfmt);
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
                mut diagnostics,
                unreadable,
                model,
            } = resolve::resolve(&input);
            let Some(model) = model else {
                errors.push(first.unreadable(unreadable));
                errors.push(Findings {
                    sources,
                    diagnostics,
                });
                continue;
            };
            let hashes = sources.files().iter();
            let hashes = hashes.map(|file| (file.path().to_owned(), stamp::hash(file.text())));
            stamp.inputs.extend(hashes);
            run.absent.extend_from_slice(sources.absent());
            for (config, files) in code(&group, &model, &sources, &mut diagnostics, &mut errors)? {
                let dst = absolute(dst.unwrap_or(&config.dst_path))?;
                let name = output::config_name(&dst, &place_of(config)?);
                let hash = stamp::hash(&config.text);
                stamp.inputs.push((config.path.clone(), hash));
                run.modules.push(module_path(config));
                wanted.entry(dst).or_default().push(Wanted {
                    config: name,
                    files,
                });
            }
            let findings = Findings {
                sources,
                diagnostics,
            };
            if findings.has_errors() {
                errors.push(findings);
            } else if !findings.diagnostics.is_empty() {
                run.warnings.push(findings);
            }
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        let keep = if dst.is_some() {
            Keep::Nothing
        } else {
            Keep::OfOtherConfigs
        };
        for (dst, wanted) in wanted {
            output::check_agreement(&dst, &wanted)?;
            let plan = Plan::new(&dst, wanted, keep)?;
            run.unchanged += plan.unchanged;
            stamp.outputs.push(plan.hash);
            stamp.files += plan.files;
            run.plans.push(plan);
        }
        output::check_places(&run.plans)?;
        run.modules.sort();
        run.modules.dedup();
        run.absent.sort();
        run.absent.dedup();
        stamp.inputs.sort();
        stamp.inputs.dedup();
        run.inputs = stamp.inputs.iter().map(|(path, _)| path.clone()).collect();
        run.inputs.dedup();
        run.directories = directories.into_keys().collect();
        // Warnings are to be shown by each run, and a stamp has none.
        if is_complete && run.warnings.is_empty() {
            stamp.absent.clone_from(&run.absent);
            stamp.modules.clone_from(&run.modules);
            run.stamp = Some((key, stamp));
        }
        Ok(run)
    }

    /// The run that would do nothing, because the last one had the same inputs and its output is still there.
    fn repeated(key: &Key, directories: &Directories) -> Result<Option<Self>, Error> {
        let Some((first, _)) = directories.first_key_value() else {
            return Ok(None);
        };
        let Some(stamp) = Stamp::load(first, key) else {
            return Ok(None);
        };
        let is_same = |(path, hash): &(PathBuf, u64)| {
            let mut sources = SourceMap::default();
            let id = sources.load_root(path);
            id.is_ok_and(|id| stamp::hash(sources.file(id).text()) == *hash)
        };
        if !stamp.inputs.iter().all(is_same) || stamp.absent.iter().any(|path| path.exists()) {
            return Ok(None);
        }
        let mut outputs = stamp.outputs.iter();
        for (dst, configs) in directories {
            let hash = output::hash(dst, configs)?;
            if hash.is_none() || hash.as_ref() != outputs.next() {
                return Ok(None);
            }
        }
        let mut inputs: Vec<PathBuf> = stamp.inputs.into_iter().map(|(path, _)| path).collect();
        inputs.dedup();
        Ok(Some(Self {
            inputs,
            absent: stamp.absent,
            unchanged: stamp.files,
            modules: stamp.modules,
            directories: directories.keys().cloned().collect(),
            ..Self::default()
        }))
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// A file cannot be written or removed.
    pub fn apply(&self) -> Result<(), Error> {
        self.plans.iter().try_for_each(Plan::apply)?;
        if let (Some((key, stamp)), Some(first)) = (&self.stamp, self.directories.first()) {
            stamp.save(first, key);
        }
        Ok(())
    }
}

/// The output directories, each with the configs of this run that use it, as markers name them.
type Directories = BTreeMap<PathBuf, Vec<String>>;

fn directories(configs: &[Config], dst: Option<&Path>) -> Result<Directories, Error> {
    let mut directories = Directories::new();
    for config in configs {
        let dst = absolute(dst.unwrap_or(&config.dst_path))?;
        let name = output::config_name(&dst, &place_of(config)?);
        directories.entry(dst).or_default().push(name);
    }
    Ok(directories)
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

/// The files of configs about the same IDL. What they have in common is made once.
fn code<'c>(
    group: &'c [Config],
    model: &Model,
    sources: &SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
    errors: &mut Vec<Findings>,
) -> Result<Vec<(&'c Config, Files)>, Error> {
    let mut backends: Vec<(&Config, Backend<'_>)> = Vec::new();
    let mut users = Vec::new();
    for config in group {
        let known = |(other, _): &(&Config, _)| other.options == config.options;
        if let Some(index) = backends.iter().position(known) {
            users.push((config, index));
            continue;
        }
        match Backend::new(model, &config.options) {
            Ok(backend) => {
                // They are the same for most options.
                let known = diagnostics.len();
                for diagnostic in &backend.diagnostics {
                    if backends.is_empty() || !diagnostics[..known].contains(diagnostic) {
                        diagnostics.push(diagnostic.clone());
                    }
                }
                users.push((config, backends.len()));
                backends.push((config, backend));
            }
            Err(complaints) => errors.push(config.findings(complaints)),
        }
    }
    let types = backends
        .iter()
        .map(|(config, backend)| marked(backend.types(), sources, config));
    let types: Vec<Files> = types.collect::<Result<_, _>>()?;
    let code = users.into_iter().map(|(config, index)| {
        let servants = backends[index].1.servants(config.with_servant);
        let servants = marked(servants, sources, config)?;
        let code = types[index].clone().into_iter().chain(servants);
        Ok((config, files(config, code, sources)))
    });
    code.collect()
}

/// Files by their path below the directory of the obj.
fn marked(bodies: Vec<Body>, sources: &SourceMap, config: &Config) -> Result<Files, Error> {
    let options = &config.options;
    let mut files = Files::new();
    for body in bodies {
        let mut origins: Vec<String> = body
            .spans
            .iter()
            .map(|span| file_name(sources.file(span.file).path()))
            .collect();
        origins.sort();
        origins.dedup();
        let text = match options.format {
            Format::Default => body.text,
            Format::Rustfmt => rustfmt::format(&body.text, options.edition, &config.dst_path)?,
        };
        let rest = output::rest(&body.exports, &body.doc, text);
        files.insert(
            body.path,
            MarkedFile::new(&origin(&origins.join(", ")), rest),
        );
    }
    Ok(files)
}

/// All files that a config wants, without the indexes; `code` is below the directory of the obj.
fn files(
    config: &Config,
    code: impl Iterator<Item = (String, MarkedFile)>,
    sources: &SourceMap,
) -> Files {
    let dir = format!(
        "{}/{}/{}",
        config.app_name, config.server_name, config.obj_name
    );
    let mut files: Files = code
        .map(|(path, file)| (format!("{dir}/{path}"), file))
        .collect();
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
        let mut path = path.map_or_else(
            || file_name(file.path()),
            |path| path.to_string_lossy().replace('\\', "/"),
        );
        if !path.ends_with(".tars") {
            path.push_str(".tars"); // by which a copy is known as ours
        }
        // Files of one name from several directories take these along.
        let mut dirs = file.path().ancestors().skip(1);
        while files.contains_key(&format!("{dir}/tars/{path}")) {
            let parent = dirs.find_map(Path::file_name);
            let parent = parent.map_or_else(|| "_".into(), OsStr::to_string_lossy);
            path = format!("{parent}/{path}");
        }
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

/// Where a config is. If it is a symbolic link itself, that is where the link is: its paths start there.
fn place_of(config: &Config) -> Result<PathBuf, Error> {
    let dir = absolute(config.dir())?;
    Ok(dir.join(config.path.file_name().unwrap_or_default()))
}

/// Without `.`, `..` and symbolic links, so that configs which name one directory in different ways meet. The path may
/// not exist yet.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    let path = std::path::absolute(path).map_err(|e| Error::io("find", path, e))?;
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => {
                clean.push(part);
                // A link that leads nowhere stays, and is in the way when something is to be written.
                if clean.is_symlink()
                    && let Ok(target) = clean.canonicalize()
                {
                    clean = target;
                }
            }
        }
    }
    Ok(clean)
}
