//! `cargo xtask bench`: figures, with the machine and command that gave them.

use clap::Subcommand;

use crate::{bench_agent, bench_change, bench_floods, bench_gate, bench_ingest, bench_people, bench_what_if};

#[derive(Subcommand)]
pub enum Bench {
    /// A pass of the agent over this computer: time, memory, size.
    Agent(bench_agent::Agent),
    /// From a change on a device to the gate.
    Change(bench_change::Change),
    /// How long honest clients wait in each of twelve floods.
    Floods(bench_floods::Floods),
    /// nginx asking the gate, against the same nginx asking an upstream that says yes.
    Gate(bench_gate::Gate),
    /// Signed messages from a simulated fleet over kept-alive HTTP.
    Ingest(bench_ingest::Ingest),
    /// Pages with many people and devices, and devices in front of a flood of sign-ins.
    People(bench_people::People),
    /// A proposal judged against what a fleet last reported.
    WhatIf(bench_what_if::WhatIf),
}

impl Bench {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Agent(agent) => agent.run(),
            Self::Change(change) => change.run(),
            Self::Floods(floods) => floods.run(),
            Self::Gate(gate) => gate.run(),
            Self::Ingest(ingest) => ingest.run(),
            Self::People(people) => people.run(),
            Self::WhatIf(what_if) => what_if.run(),
        }
    }
}

/// The machine, in a line.
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "))
        .unwrap_or("unknown processor")
        .to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    format!("{cores} × {model}, Linux {}, load {}", kernel.trim(), load.split(' ').next().unwrap_or_default())
}

/// The median, and the smallest and largest.
pub fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |i: usize| values.get(i).copied().unwrap_or(0.0);
    (at(values.len() / 2), at(0), at(values.len().saturating_sub(1)))
}
