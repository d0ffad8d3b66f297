//! The Merkle tree over the rows of a chain, as RFC 6962 defines it. Each leaf is a row's hash.

use sha2::{Digest, Sha256};

/// The peaks of a tree: the roots of the perfect subtrees that its leaves form, largest first. They suffice to append
/// leaves and to compute the root, and there are at most 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowTree {
    size: u64,
    peaks: Vec<[u8; 32]>,
}

impl RowTree {
    /// Restores a tree from its size and peaks. Returns `None` if a tree of this size has another number of peaks.
    pub fn from_peaks(size: u64, peaks: Vec<[u8; 32]>) -> Option<Self> {
        (usize::try_from(size.count_ones()).ok()? == peaks.len()).then_some(Self { size, peaks })
    }

    /// Appends the next leaf.
    pub fn append(&mut self, leaf: &[u8]) {
        let mut node: [u8; 32] = Sha256::new()
            .chain_update([0])
            .chain_update(leaf)
            .finalize()
            .into();
        // Each trailing one bit of the size is a perfect subtree that the new one completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = parent(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// Returns the number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns the peaks, largest subtree first.
    pub fn peaks(&self) -> &[[u8; 32]] {
        &self.peaks
    }

    /// Returns the root of the tree.
    pub fn root(&self) -> [u8; 32] {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => Sha256::digest([]).into(),
            Some(last) => peaks.fold(*last, |right, left| parent(left, &right)),
        }
    }
}

fn parent(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, section 2.1, as it is written there.
    fn defined(leaves: &[[u8; 32]]) -> [u8; 32] {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => Sha256::new()
                .chain_update([0])
                .chain_update(leaf)
                .finalize()
                .into(),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                parent(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn roots_match_the_definition_and_a_restored_tree_goes_on() {
        let leaves: Vec<[u8; 32]> = (0..200_u8).map(|n| [n; 32]).collect();
        let mut tree = RowTree::default();
        for (n, leaf) in leaves.iter().enumerate() {
            assert_eq!(tree.root(), defined(&leaves[..n]), "{n} leaves");
            tree = RowTree::from_peaks(tree.size(), tree.peaks().to_vec()).unwrap();
            tree.append(leaf);
        }
        assert_eq!(tree.size(), 200);
        assert_eq!(RowTree::from_peaks(3, vec![[0; 32]; 3]), None);
    }

    /// The roots that implementations of Certificate Transparency test with.
    #[test]
    fn roots_match_published_vectors() {
        let vectors = [
            (
                "",
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            ),
            (
                "00",
                "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            ),
            (
                "10",
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            ),
            (
                "2021",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ),
            (
                "3031",
                "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            ),
            (
                "40414243",
                "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            ),
            (
                "5051525354555657",
                "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            ),
            (
                "606162636465666768696a6b6c6d6e6f",
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ];
        let hex = |bytes: [u8; 32]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let mut tree = RowTree::default();
        for (leaf, root) in vectors {
            let bytes: Vec<u8> = (0..leaf.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&leaf[at..at + 2], 16).unwrap())
                .collect();
            tree.append(&bytes);
            assert_eq!(hex(tree.root()), root, "{} leaves", tree.size());
        }
    }
}
