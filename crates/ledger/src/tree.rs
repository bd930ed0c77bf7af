//! The Merkle tree of RFC 6962, section 2.

use std::cmp::Ordering;

use stead_model::seal;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The hash of a leaf: SHA-256 of a zero byte and the entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut bytes = Vec::with_capacity(entry.len() + 1);
    bytes.push(0);
    bytes.extend_from_slice(entry);
    seal::sha256(&bytes)
}

/// The hash of an inner node: SHA-256 of a one byte and both children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0; 65];
    bytes[0] = 1;
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    seal::sha256(&bytes)
}

/// The right edge of a growing tree: the roots of its perfect subtrees, largest first. All that is
/// needed to append and to know the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves from the roots kept for it.
    ///
    /// Returns none when their number does not fit the size.
    pub fn from_parts(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, largest first.
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// Appends a leaf.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The root of the tree; SHA-256 of nothing for an empty one.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else {
            return seal::sha256(&[]);
        };
        roots.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The root over a list of leaf hashes.
pub fn root_of(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.append(leaf);
    }
    frontier.root()
}

/// A perfect subtree: the `index`-th of those with `2^level` leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Height above the leaves.
    pub level: u32,
    /// Position among its equals.
    pub index: u64,
}

/// The perfect subtrees that make up the leaves `start..end`, left to right.
fn perfect_subtrees(mut start: u64, end: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    while start < end {
        let fit = (end - start).ilog2();
        let level = start.trailing_zeros().min(fit);
        nodes.push(Node { level, index: start >> level });
        start += 1 << level;
    }
    nodes
}

fn range_hash(start: u64, end: u64, hash: &mut impl FnMut(Node) -> Option<Hash>) -> Option<Hash> {
    let mut nodes = perfect_subtrees(start, end).into_iter().rev();
    let mut out = hash(nodes.next()?)?;
    for node in nodes {
        out = node_hash(&hash(node)?, &out);
    }
    Some(out)
}

/// The largest power of two smaller than `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The proof that leaf `index` is in the tree of `size` leaves (RFC 6962, section 2.1.1). `hash`
/// gives the root of any perfect subtree within the tree.
pub fn inclusion_proof(
    index: u64,
    size: u64,
    mut hash: impl FnMut(Node) -> Option<Hash>,
) -> Option<Vec<Hash>> {
    if index >= size {
        return None;
    }
    let (mut start, mut end, mut proof) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range_hash(middle, end, &mut hash)?);
            end = middle;
        } else {
            proof.push(range_hash(start, middle, &mut hash)?);
            start = middle;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Whether `proof` shows that `leaf` stands at `index` in the tree of `size` leaves with `root`.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut position, mut last, mut node) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            node = node_hash(sibling, &node);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

/// The proof that the tree of `old` leaves is a prefix of that of `new` (RFC 6962, section 2.1.2).
pub fn consistency_proof(
    old: u64,
    new: u64,
    mut hash: impl FnMut(Node) -> Option<Hash>,
) -> Option<Vec<Hash>> {
    if old > new || old == 0 {
        return (old == 0).then(Vec::new);
    }
    let (mut start, mut end, mut whole, mut proof) = (0, new, true, Vec::new());
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range_hash(middle, end, &mut hash)?);
            end = middle;
        } else {
            proof.push(range_hash(start, middle, &mut hash)?);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(range_hash(start, end, &mut hash)?);
    }
    proof.reverse();
    Some(proof)
}

/// Whether `proof` shows that the tree `old` with `old_root` is a prefix of `new` with `new_root`.
pub fn verify_consistency(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 {
        return proof.is_empty();
    }
    match old.cmp(&new) {
        Ordering::Less => {}
        Ordering::Equal => return proof.is_empty() && old_root == new_root,
        Ordering::Greater => return false,
    }
    let mut proof = proof.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { proof.next() };
    let Some(first) = first else { return false };
    let shift = (old - 1).trailing_ones();
    let (mut position, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut small, mut large) = (*first, *first);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            small = node_hash(sibling, &small);
            large = node_hash(sibling, &large);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            large = node_hash(&large, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && small == *old_root && large == *new_root
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;

    fn entry(i: u64) -> Vec<u8> {
        format!("entry {i}").into_bytes()
    }

    fn node(at: Node) -> Option<Hash> {
        let start = at.index << at.level;
        Some(root_of((start..start + (1 << at.level)).map(|i| leaf_hash(&entry(i)))))
    }

    fn root(size: u64) -> Hash {
        root_of((0..size).map(|i| leaf_hash(&entry(i))))
    }

    #[test]
    fn the_empty_tree_is_that_of_the_standard() {
        assert_eq!(Frontier::default().root(), <[u8; 32]>::from(Sha256::digest(b"")));
    }

    /// Another's implementation of RFC 6962 gives the same roots.
    #[test]
    fn roots_agree_with_an_independent_tree() {
        let mut other: MemoryBackedTree<Sha256, Vec<u8>> = MemoryBackedTree::new();
        let mut ours = Frontier::default();
        for i in 0..300 {
            other.push(entry(i));
            ours.append(leaf_hash(&entry(i)));
            assert_eq!(ours.root().as_slice(), other.root().as_bytes().as_slice(), "size {}", i + 1);
        }
    }

    #[test]
    fn a_frontier_is_kept_and_taken_up_again() {
        let mut whole = Frontier::default();
        for i in 0..100 {
            let mut again = Frontier::from_parts(whole.size(), whole.roots().to_vec()).unwrap();
            assert_eq!(again, whole);
            whole.append(leaf_hash(&entry(i)));
            again.append(leaf_hash(&entry(i)));
            assert_eq!(again.root(), whole.root());
        }
        let mut fewer = whole.roots().to_vec();
        fewer.pop();
        assert_eq!(Frontier::from_parts(whole.size(), fewer), None);
    }

    #[test]
    fn a_tree_is_a_prefix_of_itself_and_of_no_smaller_one() {
        let (three, seven) = (root(3), root(7));
        assert!(verify_consistency(7, &seven, 7, &seven, &[]));
        assert!(!verify_consistency(7, &seven, 7, &three, &[]));
        assert!(!verify_consistency(7, &seven, 7, &seven, &[three]));
        let proof = consistency_proof(3, 7, node).unwrap();
        assert!(!verify_consistency(7, &seven, 3, &three, &proof));
        assert!(!verify_consistency(8, &three, 4, &three, &[]));
        assert!(verify_consistency(0, &three, 7, &seven, &[]));
        assert!(!verify_consistency(0, &three, 7, &seven, &[three]));
    }

    proptest! {
        #[test]
        fn inclusion_proofs_hold_and_nothing_else_does(size in 1_u64..200, pick in any::<u64>(), other in any::<u64>(), bit in 0_usize..256) {
            let index = pick % size;
            let proof = inclusion_proof(index, size, node).unwrap();
            let leaf = leaf_hash(&entry(index));
            prop_assert!(verify_inclusion(leaf, index, size, &proof, &root(size)));
            let wrong = other % size;
            prop_assert_eq!(verify_inclusion(leaf, wrong, size, &proof, &root(size)), wrong == index);
            let mut flipped = leaf;
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!verify_inclusion(flipped, index, size, &proof, &root(size)));
            let mut longer = proof.clone();
            longer.push(leaf);
            prop_assert!(!verify_inclusion(leaf, index, size, &longer, &root(size)));
        }

        #[test]
        fn consistency_proofs_hold_and_nothing_else_does(new in 1_u64..200, pick in any::<u64>()) {
            let old = pick % (new + 1);
            let proof = consistency_proof(old, new, node).unwrap();
            prop_assert!(verify_consistency(old, &root(old), new, &root(new), &proof));
            if old > 0 && old < new {
                prop_assert!(!verify_consistency(old, &root(new), new, &root(new), &proof));
                prop_assert!(!verify_consistency(old, &root(old), new, &root(old), &proof));
            }
        }
    }
}
