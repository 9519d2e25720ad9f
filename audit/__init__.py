"""The log that cannot lie: records, sequence, Merkle tree, signed checkpoints, proofs, verification. Knows nothing of the platform."""
