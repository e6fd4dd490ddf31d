"""The file of a project: a class for each thing that it keeps, and `Store`, which has one of each."""
