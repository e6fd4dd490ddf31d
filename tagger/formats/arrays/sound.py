"""Recordings (WAV, FLAC, Ogg): one sequence of frames for each file, with features of the sound in each.

Features are the logarithms of the energy in bands of the mel scale, or the MFCCs made of them, as Kaldi computes them,
without dither. Channels are averaged. The names of the numbers have the sampling rate in them, so that a model refuses
recordings of another one. soundfile and kaldi-native-fbank (the extra `audio`) are imported only here, when they are
needed.
"""

import csv
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from os import SEEK_CUR, SEEK_END
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagger.config import AudioReading, ReadingConfig
from tagger.errors import DataError, missing_package
from tagger.files.reading import iter_lines
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.frames import Frames, frames_of
from tagger.text.sentence import Label, Origin, Sentence, sentence_of_frames
from tagger.wording import quoted, shorten

SUFFIXES = (".wav", ".flac", ".ogg")
FILE = "file"  # the column of a table with the names of recordings
UNKNOWN = 0x7FFF0000  # from here on, the size of a WAV file was not known when it was written
LOUDEST = 1e10  # of samples, whose energies still fit into 32 bits
FULL_SCALE = 32768.0  # Kaldi takes samples of 16 bits


def is_sound(path: Path) -> bool:
    """Whether the name of a path says that it is a recording."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read_sound(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sequence of a recording, with the labels that `layers` of the config names.

    A label is a part of the name of the file, or a column of the table.

    Raises:
        DataError: The file is no recording, or it has no label for a layer.
        MissingExtraError: A package of the extra `audio` is not installed.
    """
    if source.path is None:
        raise DataError(f"{source.where}: a recording is read from a file; name one (.wav)")
    how = config.audio or AudioReading()
    frames = frames_of_samples(*read_samples(source.path), how, where=source.where)
    facts = {**_parts(source.path, how), **_row(source.path, how)}
    layers = {
        layer: Label(_label(facts, layer, key, how, source.where)) for layer, key in (config.layers or {}).items()
    }
    yield sentence_of_frames(
        frames,
        layers,
        steps=[f"{step * how.hop / 1000:.3f}" for step in range(len(frames))],
        origin=Origin(source.where, (1,)),
        meta={"file": source.path.name, **facts},
    )


def read_unlabelled(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sequence of a recording to be tagged, whatever its name is."""
    yield from read_sound(source, config.model_copy(update={"layers": None}), tally, faults)


def read_samples(path: Path) -> tuple[NDArray[np.float32], int]:
    """Return the samples of a recording, from -1 to 1, and their number per second.

    Raises:
        DataError: The file cannot be read, or has no sample.
        MissingExtraError: soundfile is not installed.
    """
    try:
        import soundfile
    except ModuleNotFoundError as error:
        raise missing_package("a recording", error) from None
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        reason = getattr(error, "error_string", None) or str(error)
        raise DataError(f"{path}: must be a recording (WAV, FLAC or Ogg), but it cannot be read: {reason}") from None
    if not len(samples):
        raise DataError(f"{path}: the recording must have at least one sample, got none; remove the file")
    if missing := _missing_bytes(path):
        raise DataError(f"{path}: the recording must be whole, but {missing} bytes of it are missing; copy it again")
    return samples.mean(1), int(rate)


def _missing_bytes(path: Path) -> int:
    """Return how many bytes of its samples a WAV file lacks, which libsndfile reads as a shorter recording."""
    with path.open("rb") as file:
        size = file.seek(0, SEEK_END)
        file.seek(0)
        start = file.read(12)
        while start[:4] == b"RIFF" and len(head := file.read(8)) == 8:
            length = int.from_bytes(head[4:], "little")
            if head[:4] == b"data":
                return 0 if length >= UNKNOWN else max(0, length - (size - file.tell()))
            file.seek(length + length % 2, SEEK_CUR)
    return 0


def frames_of_samples(samples: NDArray[np.float32], rate: int, how: AudioReading, *, where: str) -> Frames:
    """Return the features of each step of a sound.

    Args:
        samples: The samples, from -1 to 1.
        rate: Their number per second.
        how: Which features.
        where: The name of the recording in messages.

    Raises:
        DataError: The windows are too short for the bands at this rate, or a sample is NaN or far too large.
        MissingExtraError: kaldi-native-fbank is not installed.
    """
    try:
        import kaldi_native_fbank
    except ModuleNotFoundError as error:
        raise missing_package("a recording", error) from None
    loudest = float(np.abs(samples).max(initial=0))
    if not loudest < LOUDEST:  # so that NaN is refused too; energies would be infinite, or an error of the package
        raise DataError(f"{where}: the samples must be numbers from -1 to 1, got one of {loudest:g}; write it again")
    mfcc = how.kind == "mfcc"
    options = kaldi_native_fbank.MfccOptions() if mfcc else kaldi_native_fbank.FbankOptions()
    form, mel = options.frame_opts, options.mel_opts
    form.samp_freq, form.frame_length_ms, form.frame_shift_ms = rate, how.window, how.hop
    form.dither, form.snip_edges = 0.0, False  # no noise; as many steps as hops, whatever the window
    mel.num_bins = how.bands
    if mfcc:
        options.num_ceps = how.coefficients
    try:
        if rate * how.hop < 1000:
            raise ValueError("the hop is shorter than a sample")  # the package would divide by zero
        made = kaldi_native_fbank.OnlineMfcc(options) if mfcc else kaldi_native_fbank.OnlineFbank(options)
        made.accept_waveform(rate, (samples * FULL_SCALE).tolist())
        made.input_finished()
    except ValueError as error:
        raise DataError(
            f"{where}: `window`, `hop` and `bands` must fit {rate} samples per second, got {how.window:g} ms, "
            f"{how.hop:g} ms and {how.bands} ({error}); choose fewer bands, or a longer window or hop"
        ) from None
    steps = made.num_frames_ready
    if not steps:
        raise DataError(f"{where}: the recording must be at least half a hop long ({how.hop / 2:g} ms), got less")
    values = np.array([made.get_frame(step) for step in range(steps)], np.float32)
    names = tuple(f"{how.kind} {i} of {rate} Hz" for i in range(1, values.shape[1] + 1))
    return frames_of(values, names)


def _parts(path: Path, how: AudioReading) -> dict[str, str]:
    """Return the named parts of the name of a file; none if it does not match."""
    match = re.fullmatch(how.name, path.stem) if how.name else None
    return {key: value for key, value in match.groupdict().items() if value} if match else {}


def _row(path: Path, how: AudioReading) -> Mapping[str, str]:
    """Return what the table says of a file.

    Raises:
        DataError: The table cannot be read, or has no column of files.
    """
    if how.table is None:
        return {}
    table = path.parent / how.table
    changed = table.stat().st_mtime_ns if table.exists() else 0
    rows, parts = _table(table, changed), Path(os.path.normpath(path.absolute())).parts
    names = (Path(*parts[start:]).as_posix() for start in range(len(parts)))  # the whole path first, the name last
    return next((rows[name] for name in names if name in rows), {})


@lru_cache(maxsize=4)
def _table(path: Path, changed: int) -> Mapping[str, dict[str, str]]:
    """Return the rows of a table that was changed at a time, by the path of their file.

    Raises:
        DataError: The table cannot be read, has no column of files or two rows for one file, or a row has more or
            fewer fields than the header.
    """
    lines = list(iter_lines(path))
    rows = csv.DictReader(lines, delimiter=max("\t;,", key=lines[0].count), skipinitialspace=True)
    if FILE not in (rows.fieldnames or ()):
        raise DataError(f"{path}:1: the header must have a column `{FILE}`, got {quoted(rows.fieldnames or ())}")
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        where = f"{path}:{rows.line_num}"
        if None in row or None in row.values():
            raise DataError(f"{where}: the row must have one field for each column of the header, got more or fewer")
        values = {key: value for key, value in row.items() if value}
        name = os.path.normpath(values.pop(FILE, ""))
        if name.startswith(os.pardir):
            name = os.path.normpath((path.parent / name).absolute())
        if Path(name).as_posix() in found:
            raise DataError(f"{where}: each file must have one row, got {shorten(name)} again; remove one of them")
        found[Path(name).as_posix()] = values
    return found


def _label(facts: Mapping[str, str], layer: str, key: str, how: AudioReading, where: str) -> str:
    """Return the label of a layer.

    Raises:
        DataError: Neither the name of the file nor the table has it.
    """
    if key in facts:
        return facts[key]
    none = "no row of it" if how.table is not None else "a name that does not match"
    raise DataError(
        f"{where}: the recording must have `{key}` for the layer `{layer}`, in `audio.name` "
        f"({shorten(how.name or 'none')}) or in `audio.table` ({how.table or 'none'}), got {quoted(facts) or none}"
    )
