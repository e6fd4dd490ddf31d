"""A model on disk: a folder that can be copied to another machine, read without running any code from it.

`files.py` says what its files hold, without a network. `torch_model.py`, `numpy_model.py` and `onnx_model.py` load a
model with one.
"""
