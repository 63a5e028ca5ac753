//! The keys that services.toml may have, and the advice for one that it may not.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::ServicesError;

/// The keys of each table, by the table's path. The `config` of fdStoreConf is the store's.
pub(super) const KEYS: &[(&str, &[&str])] = &[
    ("", &["obj"]),
    (
        "obj",
        &[
            "namespaceName",
            "home-class",
            "saveTarsConfigFileDir",
            "saveTarsConfigFileName",
            "monitorStoreConf",
            "protocolName",
            "serverType",
            "fdStoreConf",
            "allowedOrigins",
            "pushToken",
            "servant",
            "history",
            "limits",
            "tls",
        ],
    ),
    ("obj.monitorStoreConf", &["className", "config"]),
    ("obj.monitorStoreConf.config", &["size"]),
    ("obj.fdStoreConf", &["className", "config"]),
    ("obj.history", &["messages", "bytes", "rooms"]),
    ("obj.tls", &["certificate", "key"]),
    (
        "obj.limits",
        &[
            "maxMessageSize",
            "maxQueueSize",
            "maxConnections",
            "maxRoomsPerConnection",
            "maxPendingAnswers",
            "helloTimeoutMs",
            "slowConsumer",
            "messagesPerSecond",
            "maxRefusals",
            "handshakeTimeoutMs",
            "pingIntervalMs",
            "idleTimeoutMs",
            "drainMs",
        ],
    ),
];

/// Finds the first unknown key and the key that was probably meant.
pub(super) fn check_keys(text: &str, path: &str, table: &DeTable<'_>) -> Result<(), ServicesError> {
    let Some((_, known)) = KEYS.iter().find(|(table, _)| *table == path) else {
        return Ok(());
    };
    for (key, value) in table {
        let name: &str = key.get_ref();
        if !known.contains(&name) {
            return Err(unknown_key(text, path, name, key.span(), known));
        }
        if let DeValue::Table(inner) = value.get_ref() {
            let inner_path = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            };
            check_keys(text, &inner_path, inner)?;
        }
    }
    Ok(())
}

fn unknown_key(
    text: &str,
    path: &str,
    key: &str,
    span: Range<usize>,
    known: &[&str],
) -> ServicesError {
    let nearest = known
        .iter()
        .map(|known| {
            (
                strsim::damerau_levenshtein(&known.to_lowercase(), &key.to_lowercase()),
                known,
            )
        })
        .min()
        .filter(|(distance, known)| *distance <= known.len() / 2);
    let advice = match nearest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("it may be one of {}", known.join(", ")),
    };
    ServicesError::UnknownKey {
        line: text
            .as_bytes()
            .iter()
            .take(span.start)
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1,
        key: key.to_owned(),
        table: if path.is_empty() {
            "the file".to_owned()
        } else {
            format!("[{path}]")
        },
        advice,
    }
}
