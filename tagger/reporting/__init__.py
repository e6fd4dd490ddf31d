"""Reports of scores: what they are made of, how they are written, and what they can be compared with."""
