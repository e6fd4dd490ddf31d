"""The signature of a report: everything that another score must share to be comparable with it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tagger.metrics.layer import ScoredLayer
from tagger.text.sentence import Label, Layer, Values

SHORT = 12  # digits of a hash in a text
MOST = 10  # files that are named in a text


@dataclass(frozen=True, slots=True)
class Signature:
    """What scores were computed from, and how.

    Args:
        layers: Scorer, rule and scheme of each layer.
        gold: SHA-256 of the gold sentences: their tokens, frames and the layers that were scored.
        files: SHA-256 of each file with gold sentences, by its name; empty if they were not read from files.
        model: The name of the model; None for predictions of another tool.
        model_sha256: SHA-256 of the configuration of the model, which holds those of its other files.
        seed: The seed of the training, if known.
        version: The version of this library.
    """

    layers: Mapping[str, Mapping[str, str]]
    gold: str
    files: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    model_sha256: str | None = None
    seed: int | None = None
    version: str = field(default_factory=lambda: version("tagger-bilstm"))

    def to_dict(self) -> dict[str, Any]:
        """Return the signature as JSON values."""
        return {**asdict(self), "layers": {name: dict(rule) for name, rule in self.layers.items()}}

    def lines(self) -> list[str]:
        """Return the signature as lines of text, with the first digits of each hash."""
        rules = [f"{name} by {', '.join(rule.values())}" for name, rule in self.layers.items()]
        model = "" if self.model is None else f"; model {self.model}"
        model += f" ({self.model_sha256[:SHORT]})" if self.model_sha256 else ""
        seed = "" if self.seed is None else f", seed {self.seed}"
        return [f"signature: {'; '.join(rules)}", f"  on {self._data()}{model}{seed}; tagger {self.version}"]

    def _data(self) -> str:
        """Return the files in words, many of them as one; without files, the sentences."""
        if len(self.files) > MOST:
            digest = sha256("".join(self.files.values()).encode()).hexdigest()
            return f"{len(self.files)} files ({digest[:SHORT]})"
        files = [f"{Path(name).name} ({digest[:SHORT]})" for name, digest in self.files.items()]
        return ", ".join(files) or f"sentences ({self.gold[:SHORT]})"

    def differences(self, other: "Signature") -> list[str]:
        """Return in words why two scores are not comparable; nothing if they differ in model and seed at most."""
        found = []
        for name in self.layers.keys() & other.layers.keys():
            mine, theirs = self.layers[name], other.layers[name]
            found += [
                f"`{name}`: {key} {mine.get(key)} and {theirs.get(key)}"
                for key in sorted(mine.keys() | theirs.keys())
                if mine.get(key) != theirs.get(key)
            ]
        if self.gold != other.gold:
            found.append(f"gold sentences {self.gold[:SHORT]} and {other.gold[:SHORT]}")
        if self.version != other.version:
            found.append(f"tagger {self.version} and {other.version}")
        return found


def hash_of_gold(layers: Mapping[str, ScoredLayer]) -> str:
    """Return the SHA-256 of the gold sentences of layers: of their tokens, frames, and gold tags, labels or numbers."""
    digest = sha256()
    for name, layer in layers.items():
        digest.update(repr(name).encode())
        for sentence in layer.gold:
            found = sentence.layers[name]
            digest.update(repr((sentence.tokens, _gold_of(found))).encode("utf-8", "surrogatepass"))
            if sentence.frames is not None:
                digest.update(sentence.frames.values.tobytes())
    return digest.hexdigest()


def _gold_of(layer: Layer) -> object:
    """Return all that matters of a gold layer."""
    if isinstance(layer, Label):
        return layer.value if layer.types is None else (layer.value, layer.types)
    if isinstance(layer, Values):
        return layer.values, layer.whole
    return layer.tags, layer.scheme, layer.unaligned, layer.types


def hashes_of_files(paths: Iterable[str | Path]) -> dict[str, str]:
    """Return the SHA-256 of each file by its name; that of a folder is of the names and hashes of its files."""
    return {str(path): _hash_of(Path(path)) for path in paths}


def _hash_of(path: Path) -> str:
    if not path.is_dir():
        with path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    digest = sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()} {_hash_of(file)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
