"""Layers and inference algorithms of the network, over tensors and plain values: no tag names, no files."""
