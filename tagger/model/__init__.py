"""What a trained model is: its configuration, its network for each backend, and its folder on disk."""
