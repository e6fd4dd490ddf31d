"""The precision in which the encoder is fastest on this machine, measured once and kept in the user's cache folder.

A cache that cannot be read or written only means that the measurement, of a fifth of a second, is repeated.
"""

import hashlib
import platform
import time
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

import torch

from tagger.files.user_cache import user_cache
from tagger.nn.drawing import drawing
from tagger.nn.encoder import RecurrentEncoder
from tagger.nn.side_by_side import one_torch_thread

Measured = Literal["float32", "bfloat16"]
WIDTH, SENTENCES, TOKENS = 200, 64, 25  # of a usual model
TURNS = 4  # that are timed


def fastest_precision() -> Measured:
    """Return the faster precision of the encoder on this machine's CPU."""
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return "float32"
    path = _cache_file(f"{_processor()}, torch {torch.__version__}")
    found = _kept(path)
    if found is None:
        seconds = measure()
        found = "bfloat16" if seconds["bfloat16"] < seconds["float32"] else "float32"
        _keep(path, found)
    return found


def measure() -> dict[Measured, float]:
    """Return the seconds of a batch in each precision: the best of several turns, after one to warm up."""
    with drawing(), torch.random.fork_rng(devices=[]):  # the weights that are drawn here change no numbers of the user
        encoders: dict[Measured, RecurrentEncoder] = {
            "float32": RecurrentEncoder(input_size=WIDTH, hidden_size=WIDTH).eval(),
            "bfloat16": RecurrentEncoder(input_size=WIDTH, hidden_size=WIDTH).eval().bfloat16(),
        }
    vectors, mask = torch.zeros(SENTENCES, TOKENS, WIDTH), torch.ones(SENTENCES, TOKENS, dtype=torch.bool)
    seconds: dict[Measured, list[float]] = {name: [] for name in encoders}
    with torch.inference_mode(), one_torch_thread():
        for _ in range(1 + TURNS):
            for name, encoder in encoders.items():
                given = vectors.to(encoder.dtype)
                start = time.perf_counter()
                encoder(given, mask)
                seconds[name].append(time.perf_counter() - start)
    return {name: min(turns[1:]) for name, turns in seconds.items()}


def _processor() -> str:
    """Return the name of the processor, as far as the system says it."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        if names := [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]:
            return names[0]
    return platform.processor() or platform.machine()


def _cache_file(machine: str) -> Path | None:
    """Return where the choice for a machine is kept; None if the user has no home."""
    folder = user_cache()
    return folder and folder / f"precision-{hashlib.sha256(machine.encode()).hexdigest()[:16]}"


def _kept(path: Path | None) -> Measured | None:
    """Return the choice in a file; None if there is none."""
    with suppress(OSError):
        content = path.read_bytes().strip() if path is not None else b""
        if content == b"bfloat16":
            return "bfloat16"
        if content == b"float32":
            return "float32"
    return None


def _keep(path: Path | None, found: Measured) -> None:
    """Replace the file as a whole, so that another process never reads a part of the choice."""
    if path is None:
        return
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(f"{found}\n")
        try:
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink()
