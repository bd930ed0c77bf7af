//! The server: the only HTTP server of Stead.
//!
//! In scope: flows (the only code that changes state), the API and pages that call them, jobs.
//! Out of scope: SQL (see `stead-store`), judging (see `stead-policy`).

pub mod api;
pub mod app;
pub mod assets;
pub mod audit;
pub mod auth;
pub mod bundle;
mod certificate;
pub mod channels;
pub mod clearance;
pub mod cli;
mod connections;
pub mod doctor;
pub mod error;
pub mod flows;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod gate;
pub mod health;
pub mod jobs;
pub mod keys;
mod names;
pub mod oscal;
pub mod pack_folder;
pub mod printing;
pub mod record;
pub mod relay;
pub mod reports;
pub mod serve;
pub mod source;
pub mod then;
pub mod things;
pub mod web;
pub mod words;

pub use app::{App, Config};
