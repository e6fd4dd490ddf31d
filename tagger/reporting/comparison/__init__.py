"""The comparison of several systems on the same gold sentences."""
