//! Sessions: who is online now, and who was.

mod history;
mod online;

pub use history::{HistoryPage, HistoryPart, HistoryRow, closed_row, history};
pub use online::{OnlinePage, OnlinePart, OnlineRow, disconnect, online, open_row};
