//! `tars2rs::Builder` in the `build.rs` of a crate, in both modes: what is built, and what is not built again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;

const MAIN: &str = "#include \"base.tars\"\n\
    module M { struct S { 0 require Base::V v; }; interface Echo { S echo(S s); }; };\n";
const BASE: &str = "module Base { struct V { 0 require int a; }; };\n";

/// A crate whose `build.rs` generates.
struct Crate(TempDir);

impl Crate {
    fn new(builder: &str, servant: &str) -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = format!(
            "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n\
             [dependencies]\ntars-rpc = {{ path = {:?} }}\n\n\
             [build-dependencies]\ntars2rs = {{ path = {:?}, default-features = false }}\n",
            root.join("tars-rpc"),
            root.join("tars2rs")
        );
        let config = "appName = 'App'\nserverName = 'Server'\nobjName = 'obj'\ntarsFiles = ['main.tars']\n\
                      includeDirs = ['nowhere', 'include']\ndstPath = '../src/servant'\n";
        let main = format!(
            "{servant}\nuse servant::app::server::obj::{{EchoServant, classes::base::V}};\n\n\
             fn main() {{\n    let _ = EchoServant::new;\n    println!(\"{{:?}}\", V::default());\n}}\n"
        );
        let build = format!(
            "fn main() -> Result<(), tars2rs::Error> {{\n    \
             tars2rs::Builder::new().config(\"idl/client.toml\"){builder}.run()?;\n    Ok(())\n}}\n"
        );
        this.write("Cargo.toml", &manifest);
        this.write(
            "Cargo.lock",
            &fs::read_to_string(root.join("Cargo.lock")).unwrap(),
        );
        this.write("build.rs", &build);
        this.write("src/main.rs", &main);
        this.write("idl/client.toml", config);
        this.write("idl/main.tars", MAIN);
        // Found in the last of four places, so that those before must not make cargo run the script each time.
        this.write("idl/include/base.tars", BASE);
        this
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Builds, and says whether something was compiled or run for it.
    fn build(&self) -> bool {
        let output = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--message-format", "json"])
            .current_dir(self.0.path())
            .env("CARGO_TARGET_DIR", target())
            .output()
            .unwrap();
        let messages = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{messages}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        messages.contains("\"fresh\":false")
    }

    fn run(&self) -> String {
        let program = target().join("debug/user");
        String::from_utf8(Command::new(program).output().unwrap().stdout).unwrap()
    }

    /// When the program and every generated file were written last.
    fn times(&self, tree: &Path) -> Vec<(PathBuf, SystemTime)> {
        let mut files = vec![target().join("debug/user")];
        let mut dirs = vec![tree.to_owned()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    // The stamp is not a part of the code.
                    if !path.ends_with(".tars2rs") {
                        dirs.push(path);
                    }
                } else {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
            .into_iter()
            .map(|path| {
                let time = fs::metadata(&path).unwrap().modified().unwrap();
                (path, time)
            })
            .collect()
    }

    /// The directory in the `OUT_DIR` of this crate.
    fn in_out_dir(&self) -> PathBuf {
        let build = target().join("debug/build");
        let dirs = fs::read_dir(build).unwrap().map(|dir| dir.unwrap().path());
        let mut trees: Vec<_> = dirs
            .map(|dir| dir.join("out/servant"))
            .filter(|tree| tree.join("mod.rs").exists())
            .collect();
        trees.sort_by_key(|tree| fs::metadata(tree).unwrap().modified().unwrap());
        trees.pop().unwrap()
    }

    fn check(&self, tree: impl Fn(&Self) -> PathBuf) {
        assert!(self.build(), "the first build");
        assert_eq!(self.run(), "V { a: 0 }\n");
        let tree = tree(self);
        let first = self.times(&tree);
        assert!(first.len() > 5, "{first:?}");

        assert!(!self.build(), "nothing has changed");
        self.write("README.md", "Not an input.\n");
        assert!(!self.build(), "no input has changed");
        assert_eq!(self.times(&tree), first);

        self.write(
            "idl/include/base.tars",
            &BASE.replace("int a;", "int a; 1 optional bool b;"),
        );
        assert!(self.build(), "an include has changed");
        assert_eq!(self.run(), "V { a: 0, b: false }\n");
        let second = self.times(&tree);
        let mut written: Vec<_> = second
            .iter()
            .filter(|file| !first.contains(file))
            .map(|(path, _)| path.file_name().unwrap().to_str().unwrap())
            .collect();
        written.sort_unstable();
        assert_eq!(second.len(), first.len());
        assert_eq!(written, ["base.rs", "base.tars", "user"]);

        assert!(!self.build(), "the output must not count as a change");
        assert_eq!(self.times(&tree), second);
    }
}

/// The same as that of `compile.rs`, so that the runtime is built once.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile/target")
}

#[test]
#[ignore = "slow; run by .ci/run"]
fn builds_only_what_has_changed() {
    let in_tree = Crate::new("", "#[allow(dead_code)]\nmod servant;");
    in_tree.check(|this| this.path("src/servant"));
    let in_out_dir = Crate::new(
        ".to_out_dir()",
        "#[allow(dead_code)]\nmod servant {\n    tars_rpc::include_servant!();\n}",
    );
    in_out_dir.check(Crate::in_out_dir);
    assert!(!in_out_dir.path("src/servant").exists());
}
