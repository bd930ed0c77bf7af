//! Fuzz targets: notes, checkpoints, proofs, and paths of tiles from elsewhere. `cargo xtask fuzz` runs them at length.
#![expect(clippy::unwrap_used, reason = "whatever goes wrong must stop the fuzzer")]

use std::{collections::HashMap, sync::LazyLock};

use stead_model::seal::Seed;

use crate::{
    Checkpoint, Entry, Hash, NoteKey, NoteSigner, tile,
    tree::{self, Node},
};

const NAME: &str = "example.com/log";
const SIZE: u64 = 300;

static SIGNER: LazyLock<NoteSigner> = LazyLock::new(|| NoteSigner::new(NAME, &Seed::new([1; 32])).unwrap());

/// A note, a checkpoint, a key for them, or an entry.
pub fn notes(input: &[u8]) {
    let signer = &*SIGNER;
    let key = signer.public();
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(body) = key.open(text) {
        assert!(
            signer.sign(body).lines().any(|line| text.contains(line)),
            "only what the key signs is opened"
        );
    }
    if let Ok(checkpoint) = Checkpoint::open(text, key) {
        assert_eq!(Checkpoint::open(&checkpoint.sign(signer), key).unwrap(), checkpoint);
    }
    if let Ok(other) = NoteKey::parse(text) {
        let _ = other.open(text);
        assert!(NoteKey::parse(&other.to_string()).is_ok());
    }
    // What is counted in the ledger is whole: a fraction that is read isn't the very one that was written.
    if let Ok(entry) = serde_json::from_str::<Entry>(text)
        && is_whole(&entry.data)
    {
        let written = entry.to_text().unwrap();
        let again: Entry = serde_json::from_str(&written).unwrap();
        assert_eq!(again.to_text().unwrap(), written, "written again, it is the same leaf");
    }
}

fn is_whole(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Number(number) => !number.is_f64(),
        serde_json::Value::Array(all) => all.iter().all(is_whole),
        serde_json::Value::Object(all) => all.values().all(is_whole),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::String(_) => true,
    }
}

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let leaves: Vec<Hash> = (0..SIZE).map(|i| tree::leaf_hash(&i.to_be_bytes())).collect();
    let root = |size: u64| tree::root_of(leaves.iter().take(size as usize).copied());
    let roots = (0..=SIZE).map(root).collect();
    let mut nodes = HashMap::new();
    for level in 0..9 {
        for index in 0..SIZE >> level {
            let range = (index << level) as usize..((index + 1) << level) as usize;
            nodes.insert(Node { level, index }, tree::root_of(leaves[range].iter().copied()));
        }
    }
    Tree { leaves, roots, nodes }
});

struct Tree {
    leaves: Vec<Hash>,
    /// By size.
    roots: Vec<Hash>,
    nodes: HashMap<Node, Hash>,
}

/// The path of a tile, or a proof.
pub fn tiles(input: &[u8]) {
    let Tree { leaves, roots, nodes } = &*TREE;
    let node = |at: Node| nodes.get(&at).copied();
    if let Some((index, width)) = std::str::from_utf8(input).ok().and_then(tile::parse_index) {
        let path = tile::path(0, index, width);
        assert_eq!(tile::parse_index(path.strip_prefix("tile/0/").unwrap()), Some((index, width)));
        let _ = tile::width(index, u32::from(input.len() as u8), width);
    }
    let [a, b, c, d, rest @ ..] = input else { return };
    let number = |high: u8, low: u8| u64::from(u16::from_be_bytes([high, low]));
    let (one, other) = (number(*a, *b), number(*c, *d));
    // A proof made of what was sent: nodes of the tree, by number, or bytes as they are.
    let proof: Vec<Hash> = rest
        .chunks(2)
        .map(|chunk| match chunk {
            [at, level] => {
                node(Node { level: u32::from(level % 9), index: u64::from(*at) }).unwrap_or([*at; 32])
            }
            _ => [0; 32],
        })
        .collect();
    let (leaf, root) = (one.min(SIZE - 1), roots[other.min(SIZE) as usize]);
    if tree::verify_inclusion(leaves[leaf as usize], one, other, &proof, &root) {
        assert_eq!(Some(proof.clone()), tree::inclusion_proof(one, other, node), "{one} of {other}");
    }
    let old = roots[one.min(SIZE) as usize];
    if one > 0 && tree::verify_consistency(one, &old, other, &root, &proof) {
        assert_eq!(Some(proof), tree::consistency_proof(one, other, node), "{one} to {other}");
    }
}

#[cfg(test)]
mod tests {
    use stead_testkit::made_up::each;

    #[test]
    fn fuzz_notes() {
        each("notes", super::notes);
    }

    #[test]
    fn fuzz_tiles() {
        each("tiles", super::tiles);
    }
}
