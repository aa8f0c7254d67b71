"""`soundviews.separate` and `soundviews.separate_files`: recordings into channels, as arrays and as files."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundviews.audio.decode import Samples
from soundviews.audio.waveforms import waveform_of
from soundviews.core.devices import chosen_device
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.datasets.opening import Data, open_recordings
from soundviews.separation.apply import Applied, Format, apply_files
from soundviews.separation.blocks import BLOCK_SECONDS, separate_blocks
from soundviews.separation.channel_files import read_chunks
from soundviews.separation.processor import Processor, find_processors, load_processors


def separate(
    separator: str | Path | Processor,
    audio: Any,
    *,
    processor: str | None = None,
    sample_rate: int | None = None,
    block_seconds: float = BLOCK_SECONDS,
    device: str = "auto",
) -> NDArray[np.float32]:
    """Separate one recording of any length into channels that sum to it.

    Args:
        separator: A run of `soundviews separate train`, one of its processors, or a processor that is loaded.
        audio: A path; or samples as `Model.embed` takes them: an array or tensor (samples,).
        processor: Which one of a run, as S2, or "S2>N" for N after S2; by default the most trained.
        sample_rate: Hz, needed for samples; a file says its own.
        block_seconds: What is longer is separated in half-overlapping blocks, as long as training's clips.
        device: "auto" is the GPU where there is one.

    Returns:
        (channels, samples) float32 at the processor's sample rate.

    Raises:
        SoundviewsError: no such processor, or `audio` cannot be read or is no waveform.
    """
    loaded = open_processor(separator, processor, device)
    block = max(2, round(block_seconds * loaded.sample_rate))
    try:
        channels = list(separate_blocks(loaded, _chunks(audio, sample_rate, loaded.sample_rate), block))
    except UnreadableClip as error:
        name = f"{os.fspath(audio)}: " if isinstance(audio, str | os.PathLike) else ""
        raise SoundviewsError(f"{name}{error}") from error
    return np.concatenate(channels, axis=1)


def separate_files(
    separator: str | Path | Processor,
    data: Data,
    out: str | Path,
    *,
    processor: str | None = None,
    format: Format = "flac",
    block_seconds: float = BLOCK_SECONDS,
    device: str = "auto",
    strict: bool = False,
    progress: bool = True,
    wait: bool = False,
) -> Applied:
    """Separate recordings of any length into OUT/<recording>_<channel>.flac; the same call goes on where it was.

    Args:
        separator, processor, block_seconds, device: As for `separate`.
        data: What `soundviews.open_corpus` opens: folders, manifests, recordings, "scenes", a corpus.
        out: A folder, new or of an earlier call. separated.csv in it names the files, skipped.csv what cannot be read.
        format: "flac", 24 bit, or "wav", 32 bit float, exact.
        strict: Stop at the first recording that cannot be read.
        progress: Show a bar.
        wait: Wait for another process that is writing into `out`.

    Raises:
        SoundviewsError: another processor's channels in `out`, another process that is writing there, nothing to read,
            a full disk.
    """
    loaded = open_processor(separator, processor, device)
    corpus = open_recordings(data, strict, progress)
    return apply_files(loaded, corpus, Path(out), format, block_seconds, strict, progress, wait)


def open_processor(separator: str | Path | Processor, name: str | None, device: str) -> Processor:
    """The processor of that name on the device; without a name, the most trained one."""
    if isinstance(separator, Processor):
        return separator.to(chosen_device(device))
    path = Path(separator)
    wanted = name or list(find_processors(path))[-1]
    return load_processors(path, [wanted])[0].to(chosen_device(device))


def _chunks(audio: Any, sample_rate: int | None, wanted_rate: int) -> Iterable[Samples]:
    """A file half a minute at a time, samples at once."""
    if isinstance(audio, str | os.PathLike) and sample_rate is None:
        return read_chunks(Path(audio), 0.0, None, wanted_rate)
    return [waveform_of(audio, sample_rate, wanted_rate)]
