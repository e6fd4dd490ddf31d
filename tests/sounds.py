"""Recordings made in tests: tones in WAV files."""

import wave
from pathlib import Path

import numpy as np


def write_wav(path: Path, samples: np.ndarray, *, rate: int = 8000, channels: int = 1) -> Path:
    """Write samples from -1 to 1 in 16 bits; all channels are equal."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat((samples * 32767).astype("<i2"), channels).tobytes())
    return path


def tone(hertz: float, *, seconds: float = 0.2, rate: int = 8000, seed: int = 1) -> np.ndarray:
    """A tone with a little noise."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.01, len(time))
    return np.asarray(0.3 * np.sin(2 * np.pi * hertz * time) + noise)
