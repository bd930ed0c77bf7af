//! From a change on a device to the gate: the end-to-end test with a real agent on a computer of its own, a real nginx and
//! disks that are plugged in and taken out, many times over. It needs root.

use clap::Args;

use crate::{bench, machine};

#[derive(Args)]
pub struct Change {
    /// How often a disk is plugged in and taken out.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
}

impl Change {
    pub fn run(self) -> anyhow::Result<()> {
        machine::cargo(&["build", "--quiet", "--workspace", "--bins"])?;
        println!("{}", bench::machine());
        println!("$ cargo xtask bench change --rounds {}", self.rounds);
        let rounds = format!("STEAD_ROUNDS={}", self.rounds);
        let test = "rc_6_a_disk_that_is_plugged_in_shuts_the_gate_and_taking_it_out_opens_it";
        let arguments =
            ["cargo", "test", "--quiet", "--package", "stead-e2e", "--test", "gate", "--", "--exact", test];
        let all = [&["STEAD_TEST_ALL=1", rounds.as_str()], arguments.as_slice(), &["--nocapture"]].concat();
        machine::run("env", &all)
    }
}
