"""The CRF under torch.compile: the same numbers, and at most one compilation per padded length.

In a process of its own, for compiling leaves traces; the compiler backend is the one that needs no C++ compiler.
"""

import subprocess
import sys

PROGRAM = """
import logging
import torch
import torch._dynamo
from tagger.nn.crf import LinearChainCRF

logging.disable(logging.WARNING)
torch.manual_seed(1)
crf, linear = LinearChainCRF(3), torch.nn.Linear(4, 3)

def loss(vectors, tags, mask):
    return -crf.log_likelihood(linear(vectors), tags, mask).sum()

compiled = torch.compile(loss, dynamic=False, backend="aot_eager")

def gradients(function, length):
    padded = -(-length // 8) * 8  # lengths are padded to multiples of eight
    generator = torch.Generator().manual_seed(length)
    vectors = torch.randn(2, padded, 4, generator=generator)
    tags = torch.randint(3, (2, padded), generator=generator)
    mask = torch.arange(padded) < torch.tensor([[length], [1]])
    value = function(vectors, tags, mask)
    found = torch.autograd.grad(value, [*linear.parameters(), *crf.parameters()])
    return [value.detach(), *found]

graphs = []
for length in (3, 11, 8, 16, 5, 9, 2, 13):
    for ours, plain in zip(gradients(compiled, length), gradients(loss, length), strict=True):
        torch.testing.assert_close(ours, plain)
    graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
assert graphs[0] > 0, "nothing was compiled"
assert graphs[-1] == graphs[1], f"lengths seen before in their padding were compiled again: {graphs}"
"""


def test_compiled_crf_gives_the_same_and_compiles_once_a_padded_length() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
