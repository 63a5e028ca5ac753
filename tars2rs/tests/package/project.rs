//! A project to be packed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// Of a package at the time that the tests set.
pub(crate) const NAME: &str = "Chat_20010909014640.tar.gz";

/// A directory with the files of a project.
pub(crate) struct Project(TempDir);

impl Project {
    pub(crate) fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        for (path, text) in [
            ("clients/index.html", "<html>\n"),
            ("conf/a.toml", "a = 1\n"),
            ("conf/.env", "secret\n"),
            ("conf/deep/b.toml", "b = 1\n"),
            ("conf/run.sh", "#!/bin/sh\n"),
            ("conf/Chat_20200101000000.tar.gz", "an older one"),
            ("tars/a.tars", "module M {};\n"),
            ("README.md", "Read me\n"),
            (
                "built",
                "#!/bin/sh\necho \"arguments: $*\"\nwhile :; do sleep 0.1; done\n",
            ),
        ] {
            let path = project.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let runs = fs::Permissions::from_mode(0o755);
        fs::set_permissions(project.path("conf/run.sh"), runs).unwrap();
        project.config("[files]\nconf = '../conf'\ntars = '.'\n'web/pages' = '../clients'\n'README' = '../README.md'\n");
        project
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// The config, below the keys that there must be.
    pub(crate) fn config(&self, rest: &str) {
        let text = format!("appName = 'App'\nserverName = 'Chat'\nobjName = 'obj'\n{rest}");
        fs::write(self.path("tars/tars.proto.toml"), text).unwrap();
    }

    /// `tars2rs package` with an executable that is there.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.build();
        if !args.contains(&"--binary") {
            command.args(["--binary", "built"]);
        }
        command.args(args);
        command
    }

    /// `tars2rs package` that has to build it.
    pub(crate) fn build(&self) -> Command {
        let mut command = Command::cargo_bin("tars2rs").unwrap();
        command
            .args(["package", "tars/tars.proto.toml"])
            .current_dir(self.0.path())
            .env("SOURCE_DATE_EPOCH", "1000000000");
        for name in [
            "TARS_WEB_TOKEN",
            "http_proxy",
            "HTTP_PROXY",
            "all_proxy",
            "ALL_PROXY",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Exit code, standard output and standard error.
    pub(crate) fn package(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// Unpacks the package with tar, as tarsnode does, and gives the directory of the server.
    pub(crate) fn unpacked(&self, package: &Path) -> PathBuf {
        let dir = self.path("unpacked");
        fs::create_dir(&dir).unwrap();
        Command::new("tar")
            .arg("xzf")
            .arg(package)
            .arg("-C")
            .arg(&dir)
            .assert()
            .success();
        dir.join("Chat")
    }
}
