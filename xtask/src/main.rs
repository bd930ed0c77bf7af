//! Tasks of this project: `cargo xtask up`, `test`, `bench`, `faults`, `model`, `tamper`, `fuzz`, `mutants`, `sbom`, `tidy`.

mod bench;
mod bench_agent;
mod bench_change;
mod bench_floods;
mod bench_gate;
mod bench_ingest;
mod bench_people;
mod bench_what_if;
mod faults;
mod fuzz;
mod machine;
mod model;
mod mutants;
mod sbom;
mod tamper;
mod test;
mod tidy;
mod up;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, start a server here, enrol this computer and check it in.
    Up(up::Up),
    /// Run every check and test, installing what they need where that is allowed.
    Test(test::Test),
    /// Measure.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Inject faults into disk, process, and database, and look for every acknowledged change.
    Faults(faults::Faults),
    /// Walk at random over people, roles, and links, and look for a power that somebody gained.
    Model(model::Model),
    /// Change every column of every table of a large database, and look whether it is found.
    Tamper(tamper::Tamper),
    /// Feed made-up input to what reads input from elsewhere.
    Fuzz(fuzz::Fuzz),
    /// Change what decides in small ways, and look whether a test notices.
    Mutants(mutants::Mutants),
    /// List what each program is made of (CycloneDX).
    Sbom(sbom::Sbom),
    /// Check the rules that the compiler does not know.
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Up(up) => up.run(),
        Task::Test(test) => test.run(),
        Task::Bench(bench) => bench.run(),
        Task::Faults(faults) => faults.run(),
        Task::Model(model) => model.run(),
        Task::Tamper(tamper) => tamper.run(),
        Task::Fuzz(fuzz) => fuzz.run(),
        Task::Mutants(mutants) => mutants.run(),
        Task::Sbom(sbom) => sbom.run(),
        Task::Tidy => tidy::run(),
    }
}
