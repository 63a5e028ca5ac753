//! `tars2rs CONFIG...`: brings the output directories up to date, or says how they are not.

use std::path::{Path, PathBuf};

use similar::TextDiff;
use tars2rs::generate::Run;
use tars2rs::output::{Change, Plan};

use super::Outcome;
use super::messages::{Options, print};

/// What to generate.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Config files, such as tarsclient.proto.toml
    #[arg(required = true, value_name = "CONFIG")]
    configs: Vec<PathBuf>,
    /// Write nothing; show what would change, and exit with 1 if something would
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    options: Options,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Outcome {
    let run = match Run::new(&args.configs) {
        Ok(run) => run,
        Err(error) => return args.options.fail(&error),
    };
    run.warnings
        .iter()
        .for_each(|findings| args.options.show(findings));
    if args.check {
        check(args, &run.plans)
    } else {
        apply(args, &run)
    }
}

fn apply(args: &Args, run: &Run) -> Outcome {
    for plan in &run.plans {
        if let Err(error) = plan.apply() {
            return args.options.fail(&error);
        }
        for change in &plan.changes {
            print(format_args!(
                "{} {}",
                verb(change),
                shown(&change.path).display()
            ));
        }
    }
    let unchanged: usize = run.plans.iter().map(|plan| plan.unchanged).sum();
    let changed: usize = run.plans.iter().map(|plan| plan.changes.len()).sum();
    print(format_args!(
        "{}: {changed} files changed, {unchanged} up to date",
        run.modules.join(", ")
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

/// Relative to where the user is, if it is below.
fn shown(path: &Path) -> &Path {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path)
}
