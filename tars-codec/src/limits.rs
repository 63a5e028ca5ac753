//! What a reader is willing to take.

/// Bounds on decoding. The defaults are far above what an honest peer sends.
///
/// A count or a length must also fit in the bytes at hand, whatever these say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Structs and containers inside one another, unknown fields included. Default 64.
    pub depth: u16,
    /// Bytes of one string or byte vector. Default 100 MiB.
    pub string: usize,
    /// Elements of one list or entries of one map. Default 100 Mi.
    pub count: usize,
    /// Bytes that the decoded values may allocate together, elements of containers by their size in memory. Those of a
    /// [`ListRef`](crate::ListRef) or [`MapRef`](crate::MapRef) count as if they were collected.
    /// The bytes of a struct whose fields are not in order count, too, for they are read again. A map may take as much
    /// again for as long as it is decoded. Default 512 MiB.
    pub memory: usize,
}

impl Limits {
    /// The defaults, in a const context.
    pub const DEFAULT: Self = Self {
        depth: 64,
        string: 100 << 20,
        count: 100 << 20,
        memory: 512 << 20,
    };

    /// Sets [`Limits::depth`].
    #[must_use]
    pub const fn with_depth(mut self, depth: u16) -> Self {
        self.depth = depth;
        self
    }

    /// Sets [`Limits::string`], in bytes.
    #[must_use]
    pub const fn with_string(mut self, string: usize) -> Self {
        self.string = string;
        self
    }

    /// Sets [`Limits::count`], in elements.
    #[must_use]
    pub const fn with_count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// Sets [`Limits::memory`], in bytes.
    #[must_use]
    pub const fn with_memory(mut self, memory: usize) -> Self {
        self.memory = memory;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
