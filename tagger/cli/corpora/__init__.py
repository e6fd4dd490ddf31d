"""The commands about files with tags: `convert` and `check`."""
