"""The network that joins embeddings, encoder and heads, its folder on disk, and prediction."""
