"""What `tagger convert` does with a file."""
