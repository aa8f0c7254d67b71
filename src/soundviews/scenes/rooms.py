"""Simulated rooms: impulse responses of shoeboxes, made once and kept in the cache."""

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from soundviews.audio.responses import SECONDS, Samples, aligned, lead_samples
from soundviews.core.caches import cache_directory, discard, keep
from soundviews.core.errors import SoundviewsError, words
from soundviews.core.progress import bar

COUNT = 500
T60 = (0.3, 1.3)  # seconds; the DNS challenge's range
SMALLEST, LARGEST = (3.0, 3.0, 2.5), (10.0, 10.0, 4.0)  # metres
WALL = 0.5  # metres that source and microphone stay away from every wall
ORDER = 20  # of the image sources: in the smallest room they are complete until 0.1 s after the direct sound
MIXED = (0.05, 0.08)  # seconds after the direct sound in which the images give way to diffuse sound
SOUND = 343.0  # metres a second


def simulated_responses(sample_rate: int, count: int = COUNT, seed: int = 0) -> Samples:
    """Responses of `count` rooms of drawn sizes, places and T60 ~ U(0.3, 1.3) s, out of the cache if they are there.

    Returns:
        (count, samples) as `responses.aligned` says; the direct sound is 1 at its peak.

    Raises:
        SoundviewsError: They have to be made and pyroomacoustics is not installed.
    """
    said = (sample_rate, count, seed, SECONDS, T60, SMALLEST, LARGEST, WALL, ORDER, MIXED)
    key = hashlib.blake2b(json.dumps(said).encode(), digest_size=12).hexdigest()
    kept = cache_directory("rooms", f"{key}.npy")
    responses = _kept(kept, count)
    if responses is None:
        responses = _simulate(sample_rate, count, seed)
        keep(kept, lambda temporary: _write(temporary, responses))
    return responses


def draw_t60(rng: np.random.Generator) -> float:
    """The reverberation time of the next room in seconds."""
    return float(rng.uniform(*T60))


def simulate_room(t60: float, sample_rate: int, rng: np.random.Generator) -> Samples:
    """The response of one room, one row of `simulated_responses`.

    Image sources (Allen and Berkley, 1979) make what arrives first, with walls that absorb what Eyring's formula
    says; from MIXED on the sound is diffuse: Gaussian noise that decays by 60 dB in t60 and goes on as loud as the
    images were. All images would take a hundred times as long.
    """
    size = rng.uniform(SMALLEST, LARGEST)
    source, microphone = rng.uniform(WALL, size - WALL, (2, 3))
    volume, surface = size.prod(), 2 * (size * np.roll(size, 1)).sum()
    absorbed = 1 - math.exp(-24 * math.log(10) / SOUND * volume / (surface * t60))
    early = aligned(_images(size, source, microphone, absorbed, sample_rate), sample_rate).astype(np.float64)
    seconds = (np.arange(len(early)) - lead_samples(sample_rate)) / sample_rate
    late = rng.standard_normal(len(early)) * 10 ** (-3 * seconds / t60)
    share = np.clip((seconds - MIXED[0]) / (MIXED[1] - MIXED[0]), 0, 1)
    heard = (share > 0) & (share < 1)
    late *= math.sqrt((early[heard] ** 2).sum() / (late[heard] ** 2).sum())
    whole = early * np.cos(share * math.pi / 2) + late * np.sin(share * math.pi / 2)
    return (whole / np.abs(whole[lead_samples(sample_rate)])).astype(np.float32)


def _images(
    size: npt.NDArray[np.float64],
    source: npt.NDArray[np.float64],
    microphone: npt.NDArray[np.float64],
    absorbed: float,
    sample_rate: int,
) -> npt.NDArray[np.float64]:
    """The image sources' response (samples,) in a room of `size` (3,) metres."""
    try:
        import pyroomacoustics
    except ImportError:
        raise SoundviewsError(
            "simulating rooms needs pyroomacoustics: pip install 'soundviews[rooms]' (or give a folder of impulse "
            f"responses: {words('--rooms FOLDER', 'rooms=')})"
        ) from None
    walls = pyroomacoustics.Material(absorbed)
    room: Any = pyroomacoustics.ShoeBox(size, fs=sample_rate, materials=walls, max_order=ORDER)
    room.add_source(source)
    room.add_microphone(microphone)
    room.compute_rir()
    return room.rir[0][0]


def _simulate(sample_rate: int, count: int, seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    rooms = []
    with bar("simulating rooms", count, "rooms") as advance:
        for _ in range(count):
            rooms.append(simulate_room(draw_t60(rng), sample_rate, rng))
            advance()
    return np.stack(rooms)


def _write(path: Path, responses: Samples) -> None:
    with open(path, "wb") as file:
        np.save(file, responses)


def _kept(path: Path, count: int) -> Samples | None:
    """What was kept; None if that is nothing, or damaged."""
    if not os.path.isfile(path):
        return None
    try:
        responses = np.load(path)
        if responses.shape[:1] != (count,):
            raise ValueError(f"it does not hold {count} rooms")
    except Exception as error:  # NumPy reads the header as Python, which fails in many ways
        discard(path, error)
        return None
    return responses
