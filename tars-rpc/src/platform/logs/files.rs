//! The thread that writes log files.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
};

use chrono::Local;

use super::Rolling;
use crate::{Counter, config::ServerConfig};

/// Lines that wait to be written.
const MAX_QUEUE: usize = 10_000;
/// Files of day logs that are open at a time.
const MAX_OPEN: usize = 64;

/// Hands lines to the thread. The thread ends when the last clone is gone.
#[derive(Debug, Clone)]
pub(super) struct Files {
    queue: SyncSender<Message>,
    lost: Arc<Counter>,
}

/// Which log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Main,
    Day(Arc<str>, Rolling),
}

enum Message {
    Line(Target, String),
    /// The answer comes when all lines before it are written.
    Flush(SyncSender<()>),
}

impl Files {
    pub(super) fn open(config: &ServerConfig) -> io::Result<Self> {
        let directory = config.log_path.join(&config.app).join(&config.server);
        fs::create_dir_all(&directory)?;
        let (queue, messages) = mpsc::sync_channel(MAX_QUEUE);
        let lost = Arc::new(Counter::default());
        let writer = Writer {
            prefix: directory.join(config.name()),
            size: config.log_size.max(1),
            number: config.log_num.max(1),
            main: None,
            days: HashMap::new(),
            lost: Arc::clone(&lost),
        };
        let thread = thread::Builder::new().name("tars-log".to_owned());
        thread.spawn(move || writer.run(&messages))?;
        Ok(Self { queue, lost })
    }

    pub(super) fn write(&self, target: Target, line: String) {
        let message = Message::Line(target, line);
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.queue.try_send(message)
        {
            self.lost.increment();
        }
    }

    pub(super) fn flush(&self) {
        let (done, written) = mpsc::sync_channel(1);
        if self.queue.send(Message::Flush(done)).is_ok() {
            // If the thread is gone, so is what it should write.
            let _ = written.recv();
        }
    }

    pub(super) fn lost(&self) -> &Counter {
        &self.lost
    }
}

struct Writer {
    /// `logpath/App/Server/App.Server`
    prefix: PathBuf,
    size: u64,
    number: u32,
    main: Option<(BufWriter<File>, u64)>,
    days: HashMap<PathBuf, BufWriter<File>>,
    lost: Arc<Counter>,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) {
        while let Ok(first) = messages.recv() {
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Line(target, line) => self.write(&target, &line),
                    Message::Flush(done) => {
                        self.flush();
                        let _ = done.send(());
                    }
                }
                next = messages.try_recv().ok();
            }
            self.flush();
        }
    }

    fn write(&mut self, target: &Target, line: &str) {
        let written = match target {
            Target::Main => self.write_main(line),
            Target::Day(name, rolling) => self.write_day(name, *rolling, line),
        };
        if written.is_err() {
            self.lost.increment();
            // The next line opens the files again: the disk may have room, or a directory be back.
            self.main = None;
            self.days.clear();
        }
    }

    fn write_main(&mut self, line: &str) -> io::Result<()> {
        let len = line.len() as u64;
        let (mut file, mut size) = match self.main.take() {
            Some(main) => main,
            None => {
                let file = append(&self.name(0))?;
                let size = file.metadata()?.len();
                (BufWriter::new(file), size)
            }
        };
        if size > 0 && size.saturating_add(len) > self.size {
            file.flush()?;
            drop(file);
            self.roll()?;
            (file, size) = (BufWriter::new(append(&self.name(0))?), 0);
        }
        file.write_all(line.as_bytes())?;
        self.main = Some((file, size + len));
        Ok(())
    }

    /// `App.Server.log` becomes `App.Server1.log`, that `App.Server2.log`, up to the last.
    fn roll(&self) -> io::Result<()> {
        for n in (0..self.number).rev() {
            let from = self.name(n);
            let moved = if n + 1 >= self.number {
                fs::remove_file(&from)
            } else {
                fs::rename(&from, self.name(n + 1))
            };
            match moved {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn write_day(&mut self, name: &str, rolling: Rolling, line: &str) -> io::Result<()> {
        let date = Local::now().format(rolling.format());
        let path = match name {
            "" => self.path(&format!("_{date}.log")),
            name => self.path(&format!("_{name}_{date}.log")),
        };
        if !self.days.contains_key(&path) {
            if self.days.len() >= MAX_OPEN {
                self.flush();
                self.days.clear();
            }
            let file = BufWriter::new(append(&path)?);
            self.days.insert(path.clone(), file);
        }
        match self.days.get_mut(&path) {
            Some(file) => file.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }

    fn flush(&mut self) {
        let main = self.main.as_mut().map(|(file, _)| file);
        for file in main.into_iter().chain(self.days.values_mut()) {
            if file.flush().is_err() {
                self.lost.increment();
            }
        }
    }

    fn name(&self, n: u32) -> PathBuf {
        match n {
            0 => self.path(".log"),
            n => self.path(&format!("{n}.log")),
        }
    }

    fn path(&self, suffix: &str) -> PathBuf {
        let mut path = self.prefix.as_os_str().to_owned();
        path.push(suffix);
        path.into()
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(directory: &Path) -> ServerConfig {
        let mut config = ServerConfig::new("App", "Server");
        config.log_path = directory.to_owned();
        config
    }

    #[test]
    fn the_main_log_rolls_by_size() {
        let directory = tempfile::tempdir().unwrap();
        let mut config = config(directory.path());
        (config.log_size, config.log_num) = (6, 3);
        let files = Files::open(&config).unwrap();
        for line in [
            "a1\n",
            "a2\n",
            "b1\n",
            "b2\n",
            "c1\n",
            "c2 is longer than a file\n",
            "d\n",
        ] {
            files.write(Target::Main, line.to_owned());
        }
        files.flush();
        let read = |name: &str| fs::read_to_string(directory.path().join("App/Server").join(name));
        assert_eq!(read("App.Server.log").unwrap(), "d\n");
        assert_eq!(
            read("App.Server1.log").unwrap(),
            "c2 is longer than a file\n"
        );
        assert_eq!(read("App.Server2.log").unwrap(), "c1\n");
        assert!(read("App.Server3.log").is_err());
        drop(files);
        let files = Files::open(&config).unwrap();
        files.write(Target::Main, "e\n".to_owned());
        files.flush();
        assert_eq!(
            read("App.Server.log").unwrap(),
            "d\ne\n",
            "goes on after a restart"
        );
        assert_eq!(files.lost().get(), 0);
    }

    #[test]
    fn day_logs_have_the_date_in_their_name() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(&config(directory.path())).unwrap();
        for (name, rolling) in [
            ("", Rolling::Day),
            ("chat", Rolling::Day),
            ("chat", Rolling::Minute),
        ] {
            files.write(Target::Day(name.into(), rolling), "x\n".to_owned());
        }
        files.flush();
        let entries = fs::read_dir(directory.path().join("App/Server")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut forms: Vec<_> = names
            .map(|name| name.replace(|c: char| c.is_ascii_digit(), "9"))
            .collect();
        forms.sort();
        assert_eq!(
            forms,
            [
                "App.Server_99999999.log",
                "App.Server_chat_99999999.log",
                "App.Server_chat_999999999999.log",
            ]
        );
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(&config(directory.path())).unwrap();
        fs::create_dir(directory.path().join("App/Server/App.Server.log")).unwrap();
        files.write(Target::Main, "x\n".to_owned());
        files.flush();
        assert_eq!(files.lost().get(), 1);
        fs::remove_dir(directory.path().join("App/Server/App.Server.log")).unwrap();
        files.write(Target::Main, "y\n".to_owned());
        files.flush();
        assert_eq!(files.lost().get(), 1, "and writing goes on when it can");
    }
}
