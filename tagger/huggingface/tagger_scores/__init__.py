"""A metric in the form that `evaluate` loads: a folder with a script of the same name."""
