//! What controllers and message handlers share: their base, rooms and the store of who is in them.

pub mod controller;
pub mod fd_store;
pub mod hello;
pub mod history;
pub mod json_text;
pub mod room;
pub mod spoken;
