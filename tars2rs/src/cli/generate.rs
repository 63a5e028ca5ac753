//! `tars2rs CONFIG...`: brings the output directories up to date, or says how they are not.

use std::fs;
use std::path::PathBuf;

use similar::TextDiff;
use tars2rs::generate::Run;
use tars2rs::output::{Change, Plan};
use tars2rs::{Error, Findings};

use super::messages::{Options, print, print_error};
use super::{Outcome, depfile, progress, shown, watch};

/// What to generate.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Config files, such as tarsclient.proto.toml
    #[arg(required = true, value_name = "CONFIG")]
    configs: Vec<PathBuf>,
    /// Write nothing; show what would change, and exit with 1 if something would
    #[arg(long)]
    check: bool,
    /// Generate again whenever an input changes, until Ctrl-C; one line a run
    #[arg(long, conflicts_with = "check")]
    watch: bool,
    /// Write a rule for make or ninja that names every file that was read
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    depfile: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Outcome {
    if !args.watch {
        return act(args, plan(args).0);
    }
    watch::watch(
        || plan(args),
        |planned| {
            if act(args, planned) != Outcome::Good {
                print("failed; waiting for a change");
            }
        },
    )
}

/// What is to be done, and the files whose change may change that.
fn plan(args: &Args) -> (Result<Run, Error>, Vec<PathBuf>) {
    let planned = progress::during("generating", || Run::new(&args.configs, None));
    let mut inputs = args.configs.clone();
    match &planned {
        Ok(run) => inputs.extend(run.inputs.iter().chain(&run.absent).cloned()),
        Err(Error::Invalid(findings)) => {
            for Findings { sources, .. } in findings {
                inputs.extend(sources.files().iter().map(|file| file.path().to_owned()));
                inputs.extend_from_slice(sources.absent());
            }
        }
        Err(_) => {}
    }
    (planned, inputs)
}

fn act(args: &Args, planned: Result<Run, Error>) -> Outcome {
    let mut run = match planned {
        Ok(run) => run,
        Err(error) => return args.options.fail(error),
    };
    if !args.options.warn(&mut run.warnings) {
        Outcome::Bad
    } else if args.check {
        check(args, &run.plans)
    } else {
        apply(args, &run)
    }
}

fn apply(args: &Args, run: &Run) -> Outcome {
    if let Err(error) = run.apply() {
        return args.options.fail(error);
    }
    if let Some(file) = &args.depfile {
        let rule = depfile::rule(&run.directories, &run.inputs);
        if let Err(error) = fs::write(file, rule) {
            print_error(format_args!("cannot write {}: {error}", file.display()));
            return Outcome::Failed;
        }
    }
    let changes = || run.plans.iter().flat_map(|plan| &plan.changes);
    if !args.watch {
        for change in changes() {
            print(format_args!(
                "{} {}",
                verb(change),
                shown(&change.path).display()
            ));
        }
    }
    print(format_args!(
        "{}: {} files changed, {} up to date",
        run.modules.join(", "),
        changes().count(),
        run.unchanged
    ));
    Outcome::Good
}

fn check(args: &Args, plans: &[Plan]) -> Outcome {
    for change in plans.iter().flat_map(|plan| &plan.changes) {
        let path = shown(&change.path).display().to_string();
        let [old, new] = [&change.old, &change.new].map(|text| text.as_deref().unwrap_or_default());
        let name = |text: &Option<String>| {
            if text.is_some() {
                path.clone()
            } else {
                "/dev/null".to_owned()
            }
        };
        let diff = TextDiff::from_lines(old, new);
        let diff = diff
            .unified_diff()
            .header(&name(&change.old), &name(&change.new))
            .to_string();
        diff.lines().for_each(|line| args.options.diff_line(line));
    }
    if plans.iter().all(|plan| plan.changes.is_empty()) {
        Outcome::Good
    } else {
        Outcome::Bad
    }
}

fn verb(change: &Change) -> &'static str {
    match (&change.old, &change.new) {
        (None, _) => "created",
        (_, None) => "removed",
        _ => "updated",
    }
}
