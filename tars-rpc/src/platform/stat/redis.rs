//! Statistics in Redis, which several processes report together, and which survive them.

use std::{fmt, time::Duration};

use redis::{Client, aio::MultiplexedConnection};
use tokio::sync::Mutex;

use super::store::{Entry, Side, StatFuture, StatStore, StoreError};
use crate::{
    codec,
    platform::{StatMicMsgBody, StatMicMsgHead},
};

/// Settings of a [`RedisStatStore`]; the names and defaults are those of TarsPHP's `RedisStoreCache`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedisStatConfig {
    /// `redis://[:PASSWORD@]HOST:PORT[/DATABASE]`. Default `redis://127.0.0.1:6379`.
    pub url: String,
    /// Begins the names of all keys. Default `redis_store_cache_`.
    pub prefix: String,
    /// How long numbers are kept that nobody reports. Default 600 s.
    pub ttl: Duration,
    /// How long an operation may take. Default 1 s.
    pub timeout: Duration,
    /// Heads of each side that are kept; calls under others are lost as long as there are so many. Default 40,960.
    pub max: u32,
}

impl Default for RedisStatConfig {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379".to_owned(),
            prefix: "redis_store_cache_".to_owned(),
            ttl: Duration::from_secs(600),
            timeout: Duration::from_secs(1),
            max: 40_960,
        }
    }
}

/// Keeps numbers in Redis. Each operation is one script, which Redis runs as a whole.
pub struct RedisStatStore {
    config: RedisStatConfig,
    client: Client,
    /// Made when it is needed, and again when it broke.
    connection: Mutex<Option<MultiplexedConnection>>,
}

/// KEYS: the set of heads. ARGV: ttl in ms, max, then for each entry its head and the fields of its body.
const MERGE: &str = r"
local ttl, max = ARGV[1], tonumber(ARGV[2])
local i = 3
while ARGV[i] do
    local head, fields = ARGV[i], tonumber(ARGV[i + 1])
    i = i + 2
    local key = KEYS[1] .. ':' .. head
    local is_known = redis.call('SISMEMBER', KEYS[1], head) == 1
    if is_known or redis.call('SCARD', KEYS[1]) < max then
        redis.call('SADD', KEYS[1], head)
        local had = tonumber(redis.call('HGET', key, 'count') or '0')
        local has = 0
        for f = i, i + fields * 2 - 1, 2 do
            local name, value = ARGV[f], tonumber(ARGV[f + 1])
            if name == 'count' then has = value end
            local before = tonumber(redis.call('HGET', key, name))
            if name == 'max' then
                redis.call('HSET', key, name, math.max(before or value, value))
            elseif name == 'min' then
                if has > 0 then
                    if had == 0 then before = nil end
                    redis.call('HSET', key, name, math.min(before or value, value))
                end
            else
                redis.call('HINCRBY', key, name, ARGV[f + 1])
            end
        end
        redis.call('PEXPIRE', key, ttl)
    end
    i = i + fields * 2
end
redis.call('PEXPIRE', KEYS[1], ttl)
return 0
";

/// KEYS: the set of heads. ARGV: max. Gives heads and the fields of their bodies.
const TAKE: &str = r"
local found = {}
for _, head in ipairs(redis.call('SPOP', KEYS[1], ARGV[1])) do
    local key = KEYS[1] .. ':' .. head
    found[#found + 1] = head
    found[#found + 1] = redis.call('HGETALL', key)
    redis.call('DEL', key)
end
return found
";

/// A head, and the fields of its body.
type Row = (Vec<u8>, Vec<(String, i64)>);

impl RedisStatStore {
    /// Nothing is connected before the first report.
    ///
    /// # Errors
    /// The URL cannot be understood.
    pub fn new(config: RedisStatConfig) -> Result<Self, StoreError> {
        Ok(Self {
            client: Client::open(config.url.as_str())?,
            connection: Mutex::default(),
            config,
        })
    }

    async fn merge_all(&self, entries: &[Entry]) -> Result<(), StoreError> {
        for side in [Side::Client, Side::Server] {
            let mut script = redis::cmd("EVAL");
            script.arg(MERGE).arg(1).arg(self.key(side));
            script
                .arg(u64::try_from(self.config.ttl.as_millis())?)
                .arg(self.config.max);
            let entries = entries.iter().filter(|entry| entry.side == side);
            let mut is_empty = true;
            for entry in entries {
                is_empty = false;
                let fields = fields(&entry.body);
                script.arg(codec::encode(&entry.head)?).arg(fields.len());
                for (name, value) in fields {
                    script.arg(name).arg(value);
                }
            }
            if !is_empty {
                self.run::<i64>(&script).await?;
            }
        }
        Ok(())
    }

    async fn take_some(&self, side: Side, max: usize) -> Result<Vec<Entry>, StoreError> {
        let mut script = redis::cmd("EVAL");
        script.arg(TAKE).arg(1).arg(self.key(side)).arg(max);
        let rows: Vec<Row> = self.run(&script).await?;
        let entry = |(head, fields): Row| {
            Ok(Entry {
                side,
                head: codec::decode_bytes::<StatMicMsgHead>(&head.into())?,
                body: body(fields),
            })
        };
        rows.into_iter().map(entry).collect()
    }

    async fn run<T: redis::FromRedisValue>(&self, script: &redis::Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection.lock().await;
        let run = async {
            let connection = match &mut *connection {
                Some(connection) => connection,
                none => none.insert(self.client.get_multiplexed_async_connection().await?),
            };
            script.query_async(connection).await
        };
        let result = tokio::time::timeout(self.config.timeout, run).await;
        match result {
            Ok(Ok(value)) => Ok(value),
            failed => {
                // The next one connects anew.
                *connection = None;
                Err(match failed {
                    Ok(Err(error)) => error.into(),
                    _ => format!("Redis did not answer within {:?}", self.config.timeout).into(),
                })
            }
        }
    }

    fn key(&self, side: Side) -> String {
        let side = match side {
            Side::Client => "client",
            Side::Server => "server",
        };
        format!("{}stat_{side}", self.config.prefix)
    }
}

fn fields(body: &StatMicMsgBody) -> Vec<(String, i64)> {
    // `count` comes before `min`, which means nothing without calls.
    let mut fields = vec![
        ("count".to_owned(), i64::from(body.count)),
        ("timeout".to_owned(), i64::from(body.timeout_count)),
        ("exec".to_owned(), i64::from(body.exec_count)),
        ("total".to_owned(), body.total_rsp_time),
        ("max".to_owned(), i64::from(body.max_rsp_time)),
        ("min".to_owned(), i64::from(body.min_rsp_time)),
    ];
    let classes = body.interval_count.iter();
    fields.extend(classes.map(|(bound, calls)| (format!("<{bound}"), i64::from(*calls))));
    fields
}

fn body(fields: Vec<(String, i64)>) -> StatMicMsgBody {
    let mut body = StatMicMsgBody::default();
    for (name, value) in fields {
        let small = i32::try_from(value).unwrap_or(i32::MAX);
        match name.as_str() {
            "count" => body.count = small,
            "timeout" => body.timeout_count = small,
            "exec" => body.exec_count = small,
            "total" => body.total_rsp_time = value,
            "max" => body.max_rsp_time = small,
            "min" => body.min_rsp_time = small,
            class => {
                if let Some(bound) = class.strip_prefix('<').and_then(|bound| bound.parse().ok()) {
                    body.interval_count.insert(bound, small);
                }
            }
        }
    }
    body
}

impl StatStore for RedisStatStore {
    fn merge<'a>(&'a self, entries: &'a [Entry]) -> StatFuture<'a, ()> {
        Box::pin(self.merge_all(entries))
    }

    fn take(&self, side: Side, max: usize) -> StatFuture<'_, Vec<Entry>> {
        Box::pin(self.take_some(side, max))
    }
}

impl fmt::Debug for RedisStatStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may have a password.
        f.debug_struct("RedisStatStore")
            .field("prefix", &self.config.prefix)
            .finish_non_exhaustive()
    }
}
