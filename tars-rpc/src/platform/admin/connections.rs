//! The answer to `tars.connection`, in the form of TarsCpp.

use std::fmt::Write;

use crate::platform::LiveAdapter;

const HEAD: &str = "conn-uid       ip:port                  last-time                timeout   recvBufferSize                sendBufferSize                \n";

/// A table for each adapter. Only the numbers of connections are known, not each of them.
pub(super) fn connections(adapters: &[LiveAdapter]) -> String {
    let thick = format!("{}\n", "=".repeat(100));
    let thin = "-".repeat(100);
    let mut text = thick.clone();
    for adapter in adapters {
        let open = adapter.open().unwrap_or_default();
        let name = adapter.name();
        let _ = writeln!(text, "{thin}\n[adapter:{name}] [connections:{open}]");
        text.push_str(HEAD);
    }
    text + &thin + "\n" + &thick
}
