"""A graph under construction: nodes and constants with names that nobody else uses.

The bricks of this folder add the nodes of one part of a network to a `Graph` and return the names of its results.
Inside a graph the tokens come first, because the recurrent operators and `Scan` read them in this order.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

OPSET, IR_VERSION = 18, 8  # of 2022 and 2023: every onnxruntime since 1.15 runs them
FLOAT32, INT32, INT64 = 1, 6, 7  # the numbers of types, as `Cast` names them
LOWEST = -1e30  # for minus infinity: the difference of two such numbers is a number

Array = NDArray[Any]
Weights = Mapping[str, Array]  # the arrays of a part of a network, by their names in it
Branch = Callable[["Graph"], Sequence[str]]
Step = Callable[["Graph", Sequence[str], Sequence[str]], tuple[Sequence[str], Sequence[str]]]


class Sentences(NamedTuple):
    """The names of what heads read.

    Args:
        states: State of each token, (tokens, batch, hidden); any values at padding.
        mask: True at tokens, (tokens, batch).
        lengths: Number of tokens of each sentence, (batch,), 64-bit integers.
        decode: Whether to find the best tags and their probabilities, a boolean that the caller may set.
        forward_size: Number of features of a state that belong to the forward direction, for `last` pooling.
    """

    states: str
    mask: str
    lengths: str
    decode: str
    forward_size: int


class Graph:
    """A graph, or the body of a loop in one, which shares names and constants with it."""

    def __init__(self, parent: "Graph | None" = None) -> None:
        self.nodes: list[NodeProto] = []
        self.inputs: dict[str, tuple[str, Sequence[str | int]]] = {}
        self.outputs: dict[str, tuple[str, Sequence[str | int]]] = {}
        self._constants: dict[str, TensorProto] = {} if parent is None else parent._constants
        self._names: set[str] = set() if parent is None else parent._names

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add a node with one result, and return the name of that."""
        return self.add_many(operator, *inputs, results=1, name=name, **attributes)[0]

    def add_many(
        self, operator: str, *inputs: str, results: int, name: str | None = None, **attributes: Any
    ) -> Sequence[str]:
        """Add a node and return the names of its results; an input "" is one that is not given."""
        from onnx import helper

        name = self._new_name(name or operator.lower())
        outputs = [f"{name}:{i}" if i else name for i in range(results)]
        self.nodes.append(helper.make_node(operator, inputs, outputs, name=name, **attributes))
        return outputs

    def constant(self, value: Array | float | Sequence[int], name: str = "constant") -> str:
        """Return the name of an array, which is float32 if it is a float, and 64-bit integers if it is a sequence."""
        from onnx import numpy_helper

        if isinstance(value, float):
            value = np.array(value, np.float32)
        array = np.ascontiguousarray(value, None if isinstance(value, np.ndarray) else np.int64)
        array = array.reshape(np.shape(value))  # the line before makes a number an array of one
        name = self._new_name(name)
        self._constants[name] = numpy_helper.from_array(array, name)
        return name

    def input(self, name: str, kind: str, *shape: str) -> str:
        """Declare an input with a name for each dimension, and return its name."""
        self.inputs[name] = kind, shape
        self._names.add(name)
        return name

    def optional_input(self, name: str, kind: str, default: Array, *shape: str | int) -> str:
        """Declare an input that has a default, and return its name."""
        self.inputs[name] = kind, shape
        return self.constant(default, name)

    def output(self, name: str, value: str, kind: str, *shape: str | int) -> None:
        """Make a value a result of the whole graph, converted to the type `kind`."""
        from onnx import TensorProto, helper

        self.outputs[name] = kind, shape
        self._names.add(name)
        self.nodes.append(helper.make_node("Cast", [value], [name], to=getattr(TensorProto, kind), name=f"to {name}"))

    def scan(
        self, step: Step, states: Sequence[str], sequences: Sequence[str], *, backwards: bool = False
    ) -> Sequence[str]:
        """Add a loop over the first dimension of sequences, and return its last states and its outputs.

        Args:
            step: Adds the nodes of one step to a graph: from the states and the elements to new states and to the
                elements of the outputs.
            states: The states before the first step.
            sequences: What is read, one element per step.
            backwards: Whether to read, and write, from the end to the start.
        """
        body = Graph(self)
        before = [body._new_name("state") for _ in states]
        elements = [body._new_name("element") for _ in sequences]
        # A result needs a node of its own, for a body may not return an input or a value of the graph around it.
        after, results = ([body.add("Identity", value) for value in values] for values in step(body, before, elements))
        direction = [int(backwards)]
        return self.add_many(
            "Scan",
            *states,
            *sequences,
            results=len(states) + len(results),
            body=body._proto("step", [*before, *elements], [*after, *results]),
            num_scan_inputs=len(sequences),
            scan_input_directions=direction * len(sequences),
            scan_output_directions=direction * len(results),
        )

    def choose(self, condition: str, then: Branch, otherwise: Branch) -> Sequence[str]:
        """Add a condition, and return the values that one of two branches returns; only this one is computed."""
        protos = []
        for branch in (then, otherwise):
            body = Graph(self)
            results = [body.add("Identity", value) for value in branch(body)]
            protos.append(body._proto("branch", [], results))
        return self.add_many("If", condition, results=len(results), then_branch=protos[0], else_branch=protos[1])

    def model(self, metadata: Mapping[str, str]) -> "ModelProto":
        """Return the graph as a model, with notes about it."""
        from onnx import TensorProto, helper

        inputs, outputs = (
            [helper.make_tensor_value_info(n, getattr(TensorProto, kind), shape) for n, (kind, shape) in named.items()]
            for named in (self.inputs, self.outputs)
        )
        graph = helper.make_graph(self.nodes, "tagger", inputs, outputs, list(self._constants.values()))
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="tagger")
        helper.set_model_props(model, dict(metadata))
        return model

    def _proto(self, name: str, inputs: Sequence[str], outputs: Sequence[str]) -> "GraphProto":
        from onnx import helper

        before, after = ([helper.make_empty_tensor_value_info(n) for n in names] for names in (inputs, outputs))
        return helper.make_graph(self.nodes, name, before, after)

    def _new_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted} {number}"
        self._names.add(name)
        return name
