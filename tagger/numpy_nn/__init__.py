"""The bricks of `nn/` in NumPy alone. Each module mirrors the one of its name there, which explains it."""
