"""Sequence labelling on ordinary hardware. Names are loaded when they are first used."""
