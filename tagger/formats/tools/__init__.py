"""The JSON of annotation tools: a table of dialects, each of which says what an item of a file means."""
