//! The servants that a TARS adapter of the platform can serve, found by the `home-class` of services.toml.
//!
//! A servant of your own gets a line in `SERVANTS`.

use tars_rpc::server::Adapter;

use crate::php_server::PhpServer;
use crate::servant::php_test::php_server::obj::TestTafServiceServer;

/// A registered servant.
pub struct Registered {
    /// Its name here, and that of TarsPHP's class.
    names: &'static [&'static str],
    serve: fn(Adapter, &str) -> Adapter,
}

/// PHPServer, which greets.
pub static PHP_SERVER: Registered = Registered {
    names: &["PhpServer", "PHPServerServantImpl"],
    serve: |adapter, name| adapter.servant(name, TestTafServiceServer::new(PhpServer)),
};

/// What a TARS adapter serves of which services.toml says nothing.
pub static DEFAULT: &Registered = &PHP_SERVER;

static SERVANTS: &[&Registered] = &[&PHP_SERVER];

/// The servant of this name.
pub fn find(name: &str) -> Option<&'static Registered> {
    let mut servants = SERVANTS.iter().copied();
    servants.find(|servant| servant.names.contains(&name))
}

/// The names of all servants.
pub fn names() -> impl Iterator<Item = &'static str> {
    SERVANTS.iter().map(|servant| servant.name())
}

impl Registered {
    /// The name.
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Serves it on an adapter, as `name`.
    pub fn serve(&self, adapter: Adapter, name: &str) -> Adapter {
        (self.serve)(adapter, name)
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Eq for Registered {}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
