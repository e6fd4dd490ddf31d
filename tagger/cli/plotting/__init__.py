"""The commands of `tagger plot`."""
