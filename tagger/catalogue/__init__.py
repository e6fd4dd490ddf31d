"""Corpora and word vectors that can be fetched from their public sources: `entries` lists them, `fetch` gets them."""
