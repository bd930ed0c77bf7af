//! Input that nobody sent: the seeds of a fuzz target, and what comes of changing them a little, the same each time.
#![expect(clippy::unwrap_used, reason = "a test without its seeds must stop")]

use std::{fs, path::Path};

/// Changed inputs of each seed.
const CHANGED: usize = 200;

/// Runs a target of `cargo xtask fuzz` on each of its seeds in `tests/fuzz`, and on changed ones.
///
/// # Panics
/// When the target does, or has no seeds.
pub fn each(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz").join(target);
    let seeds: Vec<Vec<u8>> =
        fs::read_dir(&folder).unwrap().map(|seed| fs::read(seed.unwrap().path()).unwrap()).collect();
    assert!(!seeds.is_empty(), "{} holds no seed", folder.display());
    let mut dice = fastrand::Rng::with_seed(target.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte)));
    run(&[]);
    for seed in &seeds {
        run(seed);
        for _ in 0..CHANGED {
            let mut input = seed.clone();
            for _ in 0..=dice.usize(..4) {
                change(&mut input, &seeds, &mut dice);
            }
            run(&input);
        }
    }
}

/// Flips a bit, puts a byte in, takes some out, or puts a part of another seed there.
fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut fastrand::Rng) {
    let at = dice.usize(..=input.len());
    let until = (at + dice.usize(..8)).min(input.len());
    match dice.u8(..4) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << dice.u8(..8);
            }
        }
        1 => input.insert(at, dice.u8(..)),
        2 => {
            input.drain(at..until);
        }
        _ => {
            let other = &seeds[dice.usize(..seeds.len())];
            let from = dice.usize(..=other.len());
            let part = &other[from..(from + dice.usize(..40)).min(other.len())];
            input.splice(at..until, part.iter().copied());
        }
    }
}
