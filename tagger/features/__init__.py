"""What turns words and sentences into numbers, beside word vectors and characters."""
