//! Statistics in Redis, which several processes report together, and which survive them.

use std::{
    fmt,
    time::{Duration, Instant},
};

use redis::{Client, aio::MultiplexedConnection};
use tokio::sync::Mutex;
use tracing::warn;

use super::store::{Entry, Side, StatFuture, StatStore, StoreError};
use crate::{
    codec,
    net::now,
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
///
/// A merge that Redis does not answer, or whose future is dropped meanwhile, may have been done. It is made again, before
/// anything else, and Redis remembers the last one of each store, so that it counts once. The last report of
/// [`Platform::stop`](crate::platform::Platform::stop) does so, too, and once: what Redis does not answer then, or
/// after it, may be lost. What Redis gives in an answer that is lost, is lost.
pub struct RedisStatStore {
    config: RedisStatConfig,
    client: Client,
    /// A name that no other store has.
    name: u128,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Made when it is needed, and again when it broke.
    connection: Option<MultiplexedConnection>,
    /// The number of the last merge.
    merges: u64,
    /// The last merge, until Redis has answered it.
    unanswered: Option<Merge>,
}

/// A merge that Redis may have done.
struct Merge {
    script: redis::Cmd,
    began: Instant,
}

/// Why Redis has not run a script.
enum Failure {
    /// It cannot be reached, or says that it cannot.
    Refused(StoreError),
    /// Perhaps it has.
    Unanswered(StoreError),
}

/// KEYS: the sets of heads of both sides, and where the last merge of this store is remembered. ARGV: the number of
/// this merge, ttl in ms, max, then for each entry its side (1 or 2), its head and the fields of its body.
const MERGE: &str = r"
local number, ttl, max = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
if tonumber(redis.call('GET', KEYS[3]) or '0') >= number then
    return 0
end
redis.call('SET', KEYS[3], number, 'PX', ttl)
local i = 4
while ARGV[i] do
    local heads, head, fields = KEYS[tonumber(ARGV[i])], ARGV[i + 1], tonumber(ARGV[i + 2])
    i = i + 3
    local key = heads .. ':' .. head
    local is_known = redis.call('SISMEMBER', heads, head) == 1
    if is_known or redis.call('SCARD', heads) < max then
        redis.call('SADD', heads, head)
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
        redis.call('PEXPIRE', heads, ttl)
    end
    i = i + fields * 2
end
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
            name: fastrand::u128(..),
            state: Mutex::default(),
            config,
        })
    }

    async fn merge_all(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        self.settle(&mut state).await?;
        let State {
            connection,
            merges,
            unanswered,
        } = &mut *state;
        // So that a connection that broke long ago leaves nothing in doubt.
        self.run::<()>(connection, &redis::cmd("PING")).await?;
        *merges += 1;
        // Before it is sent: who waits for it may go away meanwhile.
        let merge = unanswered.insert(Merge {
            script: self.script(*merges, entries)?,
            began: now(),
        });
        let merged = self.run::<i64>(connection, &merge.script).await;
        if let Err(Failure::Unanswered(error)) = merged {
            warn!(%error, "statistics may have been merged; Redis will be asked again");
            return Ok(());
        }
        *unanswered = None;
        Ok(merged.map(drop)?)
    }

    fn script(&self, number: u64, entries: &[Entry]) -> Result<redis::Cmd, StoreError> {
        let mut script = redis::cmd("EVAL");
        script.arg(MERGE).arg(3);
        script
            .arg(self.key(Side::Client))
            .arg(self.key(Side::Server));
        script.arg(format!("{}stat_merge:{:x}", self.config.prefix, self.name));
        script.arg(number);
        script.arg(u64::try_from(self.config.ttl.as_millis())?);
        script.arg(self.config.max);
        for Entry { side, head, body } in entries {
            let side = match side {
                Side::Client => 1,
                Side::Server => 2,
            };
            let fields = fields(body);
            script.arg(side).arg(codec::encode(head)?).arg(fields.len());
            for (name, value) in fields {
                script.arg(name).arg(value);
            }
        }
        Ok(script)
    }

    /// Makes sure that a merge without an answer was done. If this is not waited for, it stays to be done.
    async fn settle(&self, state: &mut State) -> Result<(), StoreError> {
        let Some(merge) = &state.unanswered else {
            return Ok(());
        };
        // From then on Redis may have forgotten that it was, and the numbers as well.
        if now().duration_since(merge.began) >= self.config.ttl {
            warn!("statistics lost: Redis has not answered for too long");
        } else {
            self.run::<i64>(&mut state.connection, &merge.script)
                .await?;
        }
        state.unanswered = None;
        Ok(())
    }

    async fn take_some(&self, side: Side, max: usize) -> Result<Vec<Entry>, StoreError> {
        let mut script = redis::cmd("EVAL");
        script.arg(TAKE).arg(1).arg(self.key(side)).arg(max);
        let mut state = self.state.lock().await;
        self.settle(&mut state).await?;
        let rows: Vec<Row> = self.run(&mut state.connection, &script).await?;
        let entry = |(head, fields): Row| {
            Ok(Entry {
                side,
                head: codec::decode_bytes::<StatMicMsgHead>(&head.into())?,
                body: body(fields),
            })
        };
        rows.into_iter().map(entry).collect()
    }

    async fn run<T: redis::FromRedisValue>(
        &self,
        connection: &mut Option<MultiplexedConnection>,
        script: &redis::Cmd,
    ) -> Result<T, Failure> {
        let limit = self.config.timeout;
        let mut is_sent = false;
        let run = async {
            let connection = match &mut *connection {
                Some(connection) => connection,
                none => none.insert(self.client.get_multiplexed_async_connection().await?),
            };
            is_sent = true;
            script.query_async(connection).await
        };
        let error: StoreError = match tokio::time::timeout(limit, run).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => {
                // Redis itself has said so.
                is_sent &= error.code().is_none();
                error.into()
            }
            Err(_) => format!("Redis did not answer within {limit:?}").into(),
        };
        // The next one connects anew.
        *connection = None;
        Err(if is_sent {
            Failure::Unanswered(error)
        } else {
            Failure::Refused(error)
        })
    }

    fn key(&self, side: Side) -> String {
        let side = match side {
            Side::Client => "client",
            Side::Server => "server",
        };
        format!("{}stat_{side}", self.config.prefix)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) | Failure::Unanswered(error) => error,
        }
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
