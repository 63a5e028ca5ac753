//! The controllers of this server. A new one gets its line in [`all`].

mod index_controller;
mod monitor_controller;

use crate::app::App;
use crate::component::controller::Controllers;
use index_controller::IndexController;
use monitor_controller::MonitorController;

/// Every controller.
pub fn all(app: &App) -> Controllers {
    Controllers::default()
        .with(IndexController::new(app.clone()))
        .with(MonitorController)
}
