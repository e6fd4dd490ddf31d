"""Parts of recipes whose networks are trained in a second."""

SMALL = """
[embeddings]
dimension = 8
char_hidden = 6

[encoder]
hidden_size = 8

[training]
epochs = 2
batch_size = 8
learning_rate = 0.02
"""
NER = '[heads.ner]\nkind = "tokens"\n'
SYNTHETIC = '[data]\nformat = "synthetic"\nsentences = 40\n'
