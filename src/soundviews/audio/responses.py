"""Impulse responses of rooms out of a folder, as filters that delay nothing."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from soundviews.audio.corpus import Skipped
from soundviews.audio.decode import probe
from soundviews.audio.scan import recordings
from soundviews.core.errors import SoundviewsError, UnreadableClip

SECONDS = 1.3  # of a response that are kept, from its direct sound on
MOST = 4096  # responses kept of a folder; all of OpenSLR 28's real ones are 3,810

_LEAD_SECONDS = 0.0025  # kept before the direct sound: what band-limiting put there
_SEARCHED_SECONDS = 10.0  # of a file, for its direct sound
_ONSET = 0.1  # -20 dB of the peak, where ISO 3382-1 has a response begin
_DIRECT_SECONDS = 0.001  # from the onset to the peak of the direct sound, at most

Samples = npt.NDArray[np.float32]


def lead_samples(sample_rate: int) -> int:
    """Samples of a kept response before its direct sound."""
    return round(_LEAD_SECONDS * sample_rate)


def aligned(response: npt.NDArray[np.floating], sample_rate: int) -> Samples:
    """One response with its direct sound at sample `lead_samples`, followed by SECONDS; zeros where it has nothing.

    The direct sound is the peak of the first millisecond after the onset, the first sample within 20 dB of the
    response's peak.

    Args:
        response: (samples,), not silent.
        sample_rate: Hz.
    """
    loudness = np.abs(response)
    onset = int(np.argmax(loudness >= _ONSET * loudness.max()))
    direct = onset + int(np.argmax(loudness[onset : onset + max(1, round(_DIRECT_SECONDS * sample_rate))]))
    lead = lead_samples(sample_rate)
    kept = np.zeros(lead + round(SECONDS * sample_rate), np.float32)
    cut = response[max(0, direct - lead) : direct + len(kept) - lead]
    begin = lead - min(lead, direct)
    kept[begin : begin + len(cut)] = cut
    return kept


def read_responses(folder: Path, sample_rate: int) -> tuple[Samples, list[Skipped]]:
    """Every response below a folder, at any depth: the layouts of OpenSLR 26 and 28, or any audio files.

    Each channel of a file is a response of its own, as in the DNS challenge, where the paper's responses are from.
    The noise recordings that OpenSLR 28 keeps among its responses are left out. The files are read in a seeded order
    until there are MOST responses, so that the 60,000 of OpenSLR 26 need no more memory.

    Args:
        folder: Where they are.
        sample_rate: Hz; responses at other rates are resampled, and scaled so that they filter as they did.

    Returns:
        (responses, samples) as `aligned` says, with their own gain, and what was left out: files, channels, and one
        entry for each folder of noises.

    Raises:
        SoundviewsError: No such folder, or no response in it.
    """
    if not folder.is_dir():
        raise SoundviewsError(f"no folder of impulse responses: {folder}")
    skipped: list[Skipped] = []
    paths = _without_noises([path for path, _ in recordings(folder, skipped)], skipped)
    rows: list[Samples] = []
    for count, index in enumerate(np.random.default_rng(0).permutation(len(paths))):
        if len(rows) >= MOST:
            left = f"{len(paths) - count} of {len(paths)} files not read: {MOST} responses are kept"
            skipped.append(Skipped(str(folder), left))
            break
        rows += _read(paths[index], sample_rate, skipped)
    if not rows:
        reasons = "".join(f"; {os.path.basename(entry.path)}: {entry.reason}" for entry in skipped[:3])
        raise SoundviewsError(f"no impulse response in {folder}: looked for audio files (*.wav, *.flac, ...){reasons}")
    return np.stack(rows[:MOST]), skipped


def _without_noises(paths: list[str], skipped: list[Skipped]) -> list[str]:
    """OpenSLR 28 has point-source noises in a folder of their own, isotropic ones beside the real responses."""
    kept, noises = [], dict[str, int]()
    for path in paths:
        above, name = os.path.split(path)
        folders = above.split(os.sep)
        isotropic = "real_rirs_isotropic_noises" in folders and "_noise_" in name
        if isotropic or "pointsource_noises" in folders:
            noises[above] = noises.get(above, 0) + 1
        else:
            kept.append(path)
    skipped += [Skipped(above, f"{count} noise recordings, no responses") for above, count in noises.items()]
    return kept


def _read(path: str, sample_rate: int, skipped: list[Skipped]) -> list[Samples]:
    """The responses of one file, a channel each; none if it cannot be used."""
    try:
        channels = _channels(path, sample_rate)
    except UnreadableClip as error:
        skipped.append(Skipped(path, str(error)))
        return []
    rows = []
    for number, channel in enumerate(channels, start=1):
        if channel.any():
            rows.append(aligned(channel, sample_rate))
        else:
            where = f"channel {number}: " if len(channels) > 1 else ""
            skipped.append(Skipped(path, f"{where}all samples are zero"))
    return rows


def _channels(path: str, sample_rate: int) -> Samples:
    """(channels, samples) of a file at the wanted rate, with its gain as a filter."""
    rate = probe(path).sample_rate
    try:
        samples, rate = soundfile.read(
            path, round((_SEARCHED_SECONDS + SECONDS) * rate), dtype="float32", always_2d=True
        )
    except soundfile.LibsndfileError as error:
        raise UnreadableClip(f"damaged, or no format for responses ({error.error_string.rstrip('.')})") from error
    if not np.isfinite(samples).all():
        raise UnreadableClip("NaN or infinite samples")
    if rate == sample_rate:
        return samples.T
    samples = np.pad(samples, ((lead_samples(rate), 0), (0, 0)))  # room for what the resampler puts before a pulse
    # A filter sums over its taps: with fewer of them a second, each must weigh more.
    return soxr.resample(samples, rate, sample_rate, quality="HQ").T * np.float32(rate / sample_rate)
