"""The commands about what lies on the disk for later runs: public corpora, and the cache of features."""
