"""The model that learns beside the person. `process.py` needs no torch: the page starts the others as a process."""
