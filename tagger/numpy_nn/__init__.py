"""The bricks of a trained model in NumPy alone: what `nn` computes, for machines without torch and for small arrays."""
