"""The commands about a trained model: `export` and `info`."""
