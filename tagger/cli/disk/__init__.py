"""The commands about what lies on the disk for later runs: such as public corpora."""
