"""Pictures of sequences of numbers and of symbols with what a model finds in them."""
