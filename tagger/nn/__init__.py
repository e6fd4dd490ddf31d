"""The bricks of the network: tensors and plain values only, no tag names and no files."""
