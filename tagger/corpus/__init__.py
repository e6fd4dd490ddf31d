"""Train, dev and test: reading, splitting, checking."""
