"""Networks that are trained before the tagger: character language models and transformers."""
