//! What tests and benchmarks need: a PostgreSQL server of their own, programs under test, simulated
//! devices that go through enrolment like any other.

pub mod client;
pub mod device;
pub mod made_up;
pub mod postgres;
pub mod program;

pub use client::Client;
pub use device::SimDevice;
pub use postgres::{Cluster, Postgres, free_port};
pub use program::{Server, program};
