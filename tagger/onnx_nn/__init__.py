"""The bricks of a network as nodes of an ONNX graph, one module for each module of `nn` that has a counterpart."""
