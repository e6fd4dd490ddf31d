"""Files of numbers: one module per family."""
