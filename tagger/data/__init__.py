"""Sentences, schemes, readers and writers, vocabulary, vectors and batches of numpy arrays. Nothing here uses torch."""
