//! The commands that every server has.

use std::{fmt::Write, process, sync::Arc};

use super::{AdminCommand, CommandAnswer, Commands, connections::connections};
use crate::{
    config::LogLevel,
    platform::{
        LevelControl,
        adapters::LiveAdapters,
        identity::{Identity, VERSION},
        remote_config::{RemoteConfig, outcome},
        status::Status,
    },
};

/// What the commands are about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) identity: Arc<Identity>,
    pub(crate) configs: RemoteConfig,
    pub(crate) level: LevelControl,
    pub(crate) adapters: LiveAdapters,
    pub(crate) status: Status,
}

/// Adds the commands of the framework.
pub(crate) fn builtin(commands: &Commands, subject: Subject) {
    let Subject {
        identity,
        configs,
        level,
        adapters,
        status,
    } = subject;
    commands.add("tars.viewversion", |_: &str| format!("${VERSION}$"));
    commands.add("tars.pid", |_: &str| process::id().to_string());
    commands.add("tars.setloglevel", move |level_name: &str| {
        set_level(&level, level_name)
    });
    commands.add("tars.loadconfig", LoadConfig(configs));
    let of_connection = adapters.clone();
    commands.add("tars.connection", move |_: &str| {
        connections(&of_connection.all())
    });
    commands.add("tars.viewstatus", move |_: &str| {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "[server]: {} pid {} version {VERSION}",
            identity.module,
            process::id()
        );
        if let Some(set) = &identity.set {
            let _ = writeln!(text, "[set]: {set}");
        }
        status.write(&mut text);
        for adapter in adapters.all() {
            let _ = writeln!(text, "{adapter}");
        }
        text
    });
    let all = commands.clone();
    commands.add("tars.help", move |_: &str| {
        all.names().into_iter().map(|name| name + "\r\n").collect()
    });
}

fn set_level(control: &LevelControl, name: &str) -> String {
    match name.parse::<LogLevel>() {
        Ok(level) => {
            control.set(level);
            format!("set log level [{name}] ok")
        }
        Err(expected) => format!("set log level [{name}] error: expected {expected}"),
    }
}

/// `tars.loadconfig FILE`
struct LoadConfig(RemoteConfig);

impl AdminCommand for LoadConfig {
    fn run(&self, file: &str) -> CommandAnswer {
        let (configs, file) = (self.0.clone(), file.to_owned());
        Box::pin(async move { outcome(&file, &configs.pull(&file).await) })
    }
}
