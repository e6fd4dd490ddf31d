"""Files of sequences of numbers: which reader a file has. Each sequence becomes a sentence with frames."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.files.packing import unpacked_name
from tagger.formats.arrays.series import read_series
from tagger.formats.arrays.stored import read_numpy, read_parquet
from tagger.formats.arrays.ts import looks_like_ts, read_ts
from tagger.formats.columns.fields import HEAD, Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source, source_of
from tagger.formats.tally import Tally
from tagger.formats.tools.reading import read_json
from tagger.text.sentence import Sentence

BINARY = {".npy": read_numpy, ".npz": read_numpy, ".parquet": read_parquet}
SUFFIXES = (".ts", *BINARY)
JSON = (".jsonl", ".ndjson", ".json")


def is_frames(path: Path) -> bool:
    """Whether the name of a path says that it holds arrays."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read_frames(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sequences of a file: of arrays by its name, or else of text lines, as the first of them show.

    Raises:
        DataError: The file cannot be read, or holds no numbers.
        MissingExtraError: pyarrow, which Parquet needs, is not installed.
    """
    suffix = Path(unpacked_name(source.where)).suffix.lower()
    if suffix in BINARY:
        if source.path is None or suffix != Path(source.where).suffix.lower():
            raise DataError(f"{source.where}: arrays are read from a file that is not packed; unpack it, and name it")
        yield from BINARY[suffix](source.path, config, tally)
        return
    if source.path is not None:  # what is tagged comes without lines then
        source = source_of(source.path, config.encoding)
    head = list(islice(source.lines(), HEAD))
    if suffix == ".ts" or looks_like_ts(Sample(head)):
        yield from read_ts(source, config, faults)
    elif suffix in JSON or (head and head[0].lstrip().startswith(("{", "["))):
        for sentence in read_json(source, config, tally, faults):
            if sentence.frames is None:
                where = sentence.origin.at(0) if sentence.origin else source.where
                raise DataError(f"{where}: must have `frames`, a list of numbers for each step, got text")
            yield sentence
    else:
        yield from read_series(source, config, tally, faults)
