"""Recordings become frames, as a plain implementation of Kaldi's features in NumPy gives them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import readers
from sounds import tone, write_wav

import tagger
from tagger.config import AudioReading
from tagger.errors import DataError, MissingExtraError, RecipeError
from tagger.formats.arrays.sound import frames_of_samples, read_samples
from tagger.text.sentence import Sentence

pytest.importorskip("soundfile")
pytest.importorskip("kaldi_native_fbank")

RATE, WINDOW, HOP = 8000, 200, 80  # samples per second, of a window and of a hop


def read(path: Path, **settings: Any) -> Sentence:
    audio = {"audio": AudioReading(**settings.pop("audio"))} if "audio" in settings else {}
    (sentence,) = readers.read("wav", path, **audio, **settings)
    return sentence


def log_mel(samples: np.ndarray, step: int, bands: int) -> np.ndarray:
    """The features of a step whose window lies within the sound.

    Source:
        Povey et al. (2011), the defaults of compute-fbank-feats, with snip-edges=false and dither=0.
    """
    start = step * HOP + HOP // 2 - WINDOW // 2
    frame = samples[start : start + WINDOW] * 32768
    frame = frame - frame.mean()
    frame = np.append(frame[0] * (1 - 0.97), frame[1:] - 0.97 * frame[:-1])
    frame = frame * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))) ** 0.85
    power = np.abs(np.fft.rfft(frame, 256)) ** 2

    def mel(hertz: Any) -> Any:
        return 1127 * np.log(1 + hertz / 700)

    edges = np.linspace(mel(20), mel(RATE / 2), bands + 2)
    bins = mel(np.arange(len(power)) * RATE / 256)
    rising = (bins - edges[:-2, None]) / (edges[1] - edges[0])
    falling = (edges[2:, None] - bins) / (edges[1] - edges[0])
    return np.asarray(np.log(np.maximum(np.minimum(rising, falling), 0) @ power))


def test_energies_in_mel_bands_are_those_of_a_plain_implementation(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(440))
    samples, rate = read_samples(path)
    frames = frames_of_samples(samples, rate, AudioReading(kind="log-mel", bands=20), where="a.wav")
    assert (frames.values.shape, rate) == ((20, 20), RATE)
    for step in (2, 9, 17):
        np.testing.assert_allclose(frames.values[step], log_mel(samples, step, 20), rtol=1e-4)


def test_coefficients_are_the_cosine_transform_of_the_energies(tmp_path: Path) -> None:
    samples, rate = read_samples(write_wav(tmp_path / "a.wav", tone(440)))
    mel = frames_of_samples(samples, rate, AudioReading(kind="log-mel", bands=20), where="a.wav").values
    found = frames_of_samples(samples, rate, AudioReading(bands=20, coefficients=5), where="a.wav").values
    order = np.arange(1, 5)[:, None]
    transform = np.sqrt(2 / 20) * np.cos(np.pi / 20 * order * (np.arange(20) + 0.5))
    lifted = mel @ transform.T * (1 + 11 * np.sin(np.pi * order[:, 0] / 22))
    np.testing.assert_allclose(found[:, 1:], lifted, rtol=1e-3, atol=1e-2)


def test_a_recording_is_a_sequence_whose_steps_are_times(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "7_theo_12.wav", tone(440), channels=2)
    sentence = read(
        path,
        audio={"hop": 12.5, "coefficients": 3, "name": "(?P<digit>[0-9])_(?P<speaker>[a-z]+)_.*"},
        layers={"digit": "digit"},
    )
    assert sentence.tokens[:3] == ("0.000", "0.013", "0.025")
    assert len(sentence) == 16
    assert sentence.label("digit").value == "7"
    assert sentence.meta == {"file": "7_theo_12.wav", "digit": "7", "speaker": "theo"}
    assert sentence.frames is not None
    assert sentence.frames.names == tuple(f"mfcc {i} of 8000 Hz" for i in (1, 2, 3))
    assert (
        sentence.frames == read(write_wav(tmp_path / "b.wav", tone(440)), audio={"hop": 12.5, "coefficients": 3}).frames
    )


def test_labels_are_in_a_table_beside_the_recordings(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(440))
    table = tmp_path / "words.csv"
    table.write_text("file, word, speaker\n./a.wav, yes, s1\nb.wav, no,\n")
    settings = {"audio": {"table": "words.csv"}, "layers": {"word": "word"}}
    sentence = read(path, **settings)
    assert (sentence.label("word").value, sentence.meta["speaker"]) == ("yes", "s1")
    table.write_text("file, word\na.wav, never\n")
    assert read(path, **settings).label("word").value == "never"
    other = write_wav(tmp_path / "c.wav", tone(440))
    with pytest.raises(
        DataError, match=r"c\.wav: the recording must have `word` for the layer `word`, .* no row of it"
    ):
        read(other, **settings)
    table.write_text("name, word\na.wav, yes\n")
    with pytest.raises(DataError, match=r"words\.csv:1: the header must have a column `file`, got `name`, `word`"):
        read(path, **settings)


def test_rows_of_a_table_name_files_by_their_path(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "1.wav", tmp_path / "b" / "1.wav", tmp_path / "c" / "1.wav", tmp_path / "c" / "2.wav"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        write_wav(path, tone(440))
    table = tmp_path / "t.csv"
    table.write_text(f"file,word\na/1.wav,one\n../{tmp_path.name}/b/1.wav,two\n2.wav,three\n")
    settings = {"audio": {"table": "../t.csv"}, "layers": {"word": "word"}}
    assert [read(path, **settings).label("word").value for path in (*paths[:2], paths[3])] == ["one", "two", "three"]
    with pytest.raises(DataError, match="got no row of it"):
        read(paths[2], **settings)
    table.write_text("file,word\na/1.wav,one\na/./1.wav,two\n")
    with pytest.raises(DataError, match=r"t\.csv:3: each file must have one row, got 'a/1\.wav' again"):
        read(paths[0], **settings)
    for row in ("a/1.wav", "a/1.wav,one,two"):
        table.write_text(f"file,word\n{row}\n")
        with pytest.raises(DataError, match=r"t\.csv:2: the row must have one field for each column of the header"):
            read(paths[0], **settings)


def test_a_recording_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(440))
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(DataError, match=r"a\.wav: the recording must be whole, but 100 bytes of it are missing"):
        read(path)
    path.write_bytes(whole[:40] + b"\xff" * 4 + whole[44:])  # as programs write that do not know the size yet
    assert len(read(path)) == 20


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        (np.nan, "numbers from -1 to 1, got one of nan"),
        (np.inf, "got one of inf"),
        (1e30, r"got one of 1e\+30"),
        (1e36, r"got one of 1e\+36"),
    ],
)
def test_samples_that_are_no_sound_are_refused(sample: float, said: str, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    samples = tone(440)
    samples[10] = sample
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(DataError, match=rf"a\.wav: .*{said}"):
        read(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        ({"bands": 200, "window": 10.0}, r"a\.wav: `window`, `hop` and `bands` must fit 8000 samples per second, got"),
        ({"hop": 0.1}, r"got 25 ms, 0\.1 ms and 23 \(the hop is shorter than a sample\)"),
        ({"hop": 1000.0}, r"a\.wav: the recording must be at least half a hop long \(500 ms\), got less"),
        ({"name": "(?P<digit>[0-9])"}, r"`digit` for the layer `digit`, .* got a name that does not match"),
    ],
)
def test_what_does_not_fit_a_recording_is_said(audio: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(440))
    with pytest.raises(DataError, match=message):
        read(path, audio=audio, layers={"digit": "digit"} if "name" in audio else None)


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF no sound")
    with pytest.raises(DataError, match=r"a\.wav: must be a recording \(WAV, FLAC or Ogg\), but it cannot be read: "):
        read(tmp_path / "a.wav")
    with pytest.raises(DataError, match=r"b\.wav: the recording must have at least one sample, got none"):
        read(write_wav(tmp_path / "b.wav", np.zeros(0)))


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        ({"name": "["}, "`audio.name` must be a regular expression, got '['"),
        ({"name": "[0-9]+"}, "`audio.name` must have a named part, such as (?P<speaker>[a-z]+), got '[0-9]+'"),
        ({"coefficients": 30}, "`coefficients` must be at most `bands`, got 30 and 23"),
    ],
)
def test_settings_of_recordings_are_checked(audio: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        tagger.load_corpus(format="wav", train="*.wav", audio=audio)
    assert message in str(caught.value)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    path = write_wav(tmp_path / "a.wav", tone(440))
    with pytest.raises(MissingExtraError, match=r"a recording needs the package soundfile.*tagger-bilstm\[audio\]"):
        read(path)
