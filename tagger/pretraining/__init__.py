"""Character language models: their training on any text, and their folders."""
