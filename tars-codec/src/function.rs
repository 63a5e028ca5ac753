//! The functions of an interface as data, for what is made for interfaces that are not known beforehand: consoles,
//! gateways, recorders.

use crate::{Type, Typed};

/// A function of an interface. `tars2rs` lists them in `FUNCTIONS`, beside each proxy and server trait.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Function {
    /// Its name in the IDL and in requests.
    pub name: &'static str,
    /// What it returns; `None` for `void`.
    pub result: Option<&'static Type>,
    /// All parameters in their order; the tag of each is its position from 1.
    pub params: &'static [Param],
}

impl Function {
    /// A function that returns a `T`.
    pub const fn returning<T: Typed + ?Sized>(
        name: &'static str,
        params: &'static [Param],
    ) -> Self {
        Self {
            name,
            result: Some(T::TYPE),
            params,
        }
    }

    /// A function that returns nothing.
    pub const fn void(name: &'static str, params: &'static [Param]) -> Self {
        Self {
            name,
            result: None,
            params,
        }
    }
}

/// A parameter of a function.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Param {
    /// Its name in the IDL, which is its key in TUP and JSON.
    pub name: &'static str,
    /// Its type.
    pub ty: &'static Type,
    /// Whether it is an `out` parameter, which comes back.
    pub out: bool,
}

impl Param {
    /// A parameter that is sent.
    pub const fn input<T: Typed + ?Sized>(name: &'static str) -> Self {
        Self {
            name,
            ty: T::TYPE,
            out: false,
        }
    }

    /// An `out` parameter.
    pub const fn output<T: Typed + ?Sized>(name: &'static str) -> Self {
        Self {
            name,
            ty: T::TYPE,
            out: true,
        }
    }
}
