"""The command that tags: `tag.py` has its options, `tag_file.py` does it."""
