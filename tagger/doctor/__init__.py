"""What `tagger check` finds in a corpus."""
