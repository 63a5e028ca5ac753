//! A server as `tarsnode` has it: its directories, its config, its start script.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use tars_rpc::Communicator;
use tars_rpc::config::Document;
use tars_rpc::platform::AdminFServant;
use tars_tests::platform::StandIn;
use tempfile::TempDir;

/// The configs that a real `tarsnode` wrote.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/config");

/// `TARS_PATH`, with one server.
pub(crate) struct Deployed {
    directory: TempDir,
    name: String,
    document: Document,
    pub(crate) local: SocketAddr,
}

/// An address that was free a moment ago.
pub(crate) fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

pub(crate) fn endpoint(address: SocketAddr) -> String {
    format!("tcp -h {} -p {} -t 60000", address.ip(), address.port())
}

impl Deployed {
    /// The config file of `PHPTest.SERVER` with other places, ports and times: those of the test.
    pub(crate) fn new(server: &str, stand_in: Option<&StandIn>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let name = format!("PHPTest.{server}");
        let file = format!("{FIXTURES}/{name}.config.conf");
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replace("TARS_PATH", directory.path().to_str().unwrap());
        let mut document = Document::parse_named(file, text).unwrap();
        let local = free();
        let server = "/tars/application/server";
        document
            .set(&format!("{server}<local>"), &endpoint(local))
            .unwrap();
        let blocks = document.block(server).unwrap().blocks();
        let adapters: Vec<_> = blocks.map(|block| block.name().to_owned()).collect();
        let (node, locator) = match stand_in {
            Some(stand_in) => (
                stand_in.endpoint_of("tars.tarsnode.ServerObj"),
                stand_in.endpoint_of("tars.tarsregistry.QueryObj"),
            ),
            // Nobody listens there.
            None => (
                format!("tars.tarsnode.ServerObj@{}", endpoint(free())),
                format!("tars.tarsregistry.QueryObj@{}", endpoint(free())),
            ),
        };
        let mut deployed = Self {
            directory,
            name,
            document,
            local,
        };
        for adapter in adapters {
            deployed.set(&format!("server/{adapter}<endpoint>"), &endpoint(free()));
        }
        deployed.set("server<node>", &node);
        deployed.set("client<locator>", &locator);
        deployed.set("client<report-interval>", "300");
        deployed.set("client<refresh-endpoint-interval>", "300");
        for part in ["bin", "conf", "data"] {
            fs::create_dir_all(deployed.path(part)).unwrap();
        }
        fs::create_dir_all(deployed.log().parent().unwrap()).unwrap();
        deployed
    }

    /// `tarsnode/data/App.Server/PART`.
    pub(crate) fn path(&self, part: &str) -> PathBuf {
        let data = self.directory.path().join("tarsnode/data").join(&self.name);
        data.join(part)
    }

    /// Sets a key below `/tars/application`.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.document
            .set(&format!("/tars/application/{key}"), value)
            .unwrap();
        let conf = self.conf();
        fs::create_dir_all(conf.parent().unwrap()).unwrap();
        fs::write(conf, self.document.to_string()).unwrap();
    }

    pub(crate) fn get(&self, key: &str) -> &str {
        self.document
            .get(&format!("/tars/application/{key}"))
            .unwrap()
    }

    pub(crate) fn services(&self, text: &str) {
        fs::write(self.path("bin/services.toml"), text).unwrap();
    }

    /// The config file.
    pub(crate) fn conf(&self) -> PathBuf {
        self.path("conf").join(format!("{}.config.conf", self.name))
    }

    fn option(&self) -> String {
        format!("--config={}", self.conf().display())
    }

    /// Where `tarsnode` has a server write, and the server its log.
    pub(crate) fn log(&self) -> PathBuf {
        let (app, server) = self.name.split_once('.').unwrap();
        let directory = self.directory.path().join("app_log").join(app).join(server);
        directory.join(format!("{}.log", self.name))
    }

    fn open_log(&self) -> fs::File {
        let options = fs::File::options().create(true).append(true).to_owned();
        options.open(self.log()).unwrap()
    }

    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// What the kernel's lock is on.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.path("data").join(format!("{}.pid", self.name))
    }

    /// Where an adapter listens.
    pub(crate) fn address(&self, adapter: &str) -> SocketAddr {
        let endpoint = self.get(&format!("server/{}.{adapter}<endpoint>", self.name));
        let endpoint: tars_rpc::Endpoint = endpoint.parse().unwrap();
        format!("{}:{}", endpoint.host, endpoint.port)
            .parse()
            .unwrap()
    }

    pub(crate) fn admin(&self) -> AdminFServant {
        let address = format!("AdminObj@{}", endpoint(self.local));
        AdminFServant::new(Communicator::new().string_to_proxy(&address).unwrap())
    }

    /// `example-server --config=FILE COMMAND`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_example-server"));
        command.arg(self.option()).args(arguments);
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::from(self.command(arguments).output().unwrap())
    }

    /// Starts it in the foreground, as a process of this one.
    pub(crate) fn start(&self) -> Running {
        let mut command = self.command(&[]);
        let log = self.open_log();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Running(command.spawn().unwrap())
    }

    /// Starts `program` as `tarsnode` starts a server of type tars_cpp; its process.
    pub(crate) fn start_as_tarsnode(&self, program: &Path) -> Orphan {
        let root = self.directory.path();
        let (bin, lib) = (self.path("bin"), root.join("tarsnode/data/lib"));
        let script = bin.join("tars_start.sh");
        let text = format!(
            "#!/bin/sh\n. /etc/profile\nexport LD_LIBRARY_PATH=$LD_LIBRARY_PATH:{bin}/:{lib}/\n\
             trap 'exit' SIGTERM SIGINT\npid=0\n\n{program} {option}  & pid=$!\necho $pid > {script}.pid\n\n",
            bin = bin.display(),
            lib = lib.display(),
            program = program.display(),
            option = self.option(),
            script = script.display(),
        );
        fs::write(&script, text).unwrap();
        let log = self.open_log();
        let status = Command::new("sh")
            .args(["-c", "umask 0; exec sh \"$0\""])
            .arg(&script)
            .current_dir(root.join("app_log"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
        assert!(status.success(), "{}", self.logged());
        let pid = fs::read_to_string(script.with_extension("sh.pid")).unwrap();
        Orphan(pid.trim().parse().unwrap())
    }
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A server that is a process of this one.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(i64::from(self.0.id()), name);
    }

    /// Waits for its end.
    pub(crate) fn ended_within(&mut self, time: Duration) -> ExitStatus {
        let deadline = Instant::now() + time;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it did not end within {time:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that is nobody's.
pub(crate) struct Orphan(pub(crate) i64);

impl Orphan {
    /// As `tarsnode` waits: it looks each 100 ms.
    pub(crate) async fn ended_within(&self, time: Duration) {
        let looks = time.as_millis() / 100;
        for _ in 0..looks {
            if !lives(self.0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it did not end within {time:?}");
    }

    /// It has ended, but for what the kernel may still have to clear away.
    pub(crate) async fn is_gone(&self) {
        self.ended_within(Duration::from_secs(1)).await;
    }

    /// A file of the kernel about it.
    pub(crate) fn proc(&self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let path = format!("/proc/{}/{name}", self.0);
        fs::File::open(path)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        if lives(self.0) {
            signal(self.0, "-KILL");
        }
    }
}

/// Whether there is such a process, and not only what is left of it. Its first thread may end before the others, which
/// hold its files.
pub(crate) fn lives(pid: i64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, |tasks| tasks.count());
    state.is_some_and(|state| state != 'Z') || threads > 1
}

pub(crate) fn signal(pid: i64, name: &str) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.unwrap().success());
}
