"""Other tools that `compare_peers.py` trains, one module for each."""
