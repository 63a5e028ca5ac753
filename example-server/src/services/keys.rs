//! The keys that services.toml may have, and the advice for one that it may not.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::ServicesError;

/// The path of the tables of TARS servants, whose names are those of the servants.
pub(super) const SERVANT: &str = "SERVANT";

/// The keys of each table, by the table's path. The `config` of fdStoreConf is the store's.
pub(super) const KEYS: &[(&str, &[&str])] = &[
    ("", &["obj", "monitorStoreConf", "registryStoreConf"]),
    (
        SERVANT,
        &[
            "namespaceName",
            "home-api",
            "home-class",
            "protocolName",
            "serverType",
        ],
    ),
    (
        "obj",
        &[
            "namespaceName",
            "home-class",
            "saveTarsConfigFileDir",
            "saveTarsConfigFileName",
            "monitorStoreConf",
            "registryStoreConf",
            "protocolName",
            "serverType",
            "isTimer",
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
    (
        "obj.monitorStoreConf.config",
        &[
            "size",
            "host",
            "port",
            "password",
            "database",
            "timeout",
            "cachePrefix",
            "ttl",
        ],
    ),
    ("obj.registryStoreConf", &["className", "config"]),
    ("obj.registryStoreConf.config", &["size"]),
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
            "maxPendingInAll",
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
        if path.is_empty() && is_servant(value.get_ref()) {
            if let DeValue::Table(inner) = value.get_ref() {
                check_keys(text, SERVANT, inner)?;
            }
            continue;
        }
        if !known.contains(&name) {
            return Err(unknown_key(text, path, name, key.span(), known));
        }
        if let DeValue::Table(inner) = value.get_ref() {
            let inner_path = match path {
                // services.php has these two here or there.
                "" if name != "obj" => format!("obj.{name}"),
                "" => name.to_owned(),
                _ => format!("{path}.{name}"),
            };
            check_keys(text, &inner_path, inner)?;
        }
    }
    Ok(())
}

/// Whether a table is that of a TARS servant.
pub(super) fn is_servant(value: &DeValue<'_>) -> bool {
    let DeValue::Table(table) = value else {
        return false;
    };
    let has = |key: &str, wanted: &str| {
        table
            .iter()
            .any(|(k, v)| k.get_ref() == key && v.get_ref().as_str() == Some(wanted))
    };
    has("serverType", "tcp") || has("protocolName", "tars")
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
        table: match path {
            "" => "the file".to_owned(),
            SERVANT => "the table of a servant".to_owned(),
            _ => format!("[{path}]"),
        },
        advice,
    }
}
