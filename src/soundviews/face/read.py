"""`soundviews.read` and `soundviews.probe`: a recording's samples, and what its header says."""

from pathlib import Path

from soundviews.audio import decode
from soundviews.audio.decode import AudioInfo, Samples
from soundviews.core.errors import SoundviewsError, UnreadableClip


def read(
    path: str | Path, sample_rate: int | None = None, *, start: float = 0.0, duration: float | None = None
) -> Samples:
    """Decode a recording, or a stretch of it, to mono.

    Args:
        path: wav, flac, ogg, opus, mp3, aiff, ...; m4a, mp4 and webm where PyAV is installed.
        sample_rate: Hz of the result, resampled if need be; None keeps the file's own, `probe(path).sample_rate`.
        start: Seconds from the beginning.
        duration: Seconds; None is up to the end.

    Returns:
        (samples,) float32, the mean of the channels; full scale is 1.

    Raises:
        SoundviewsError: The file cannot be read; says why.
    """
    if sample_rate is not None and not sample_rate > 0:
        raise SoundviewsError(f"a sample rate is a number of Hz above 0, not {sample_rate!r}")
    try:
        return decode.read(path, start, duration, sample_rate, allow_silence=True)
    except UnreadableClip as error:
        raise SoundviewsError(f"{path}: {error}") from error


def probe(path: str | Path) -> AudioInfo:
    """Read a recording's header: `sample_rate` (Hz), `frames`, `channels` and `seconds`.

    Raises:
        SoundviewsError: The file cannot be read; says why.
    """
    try:
        return decode.probe(path)
    except UnreadableClip as error:
        raise SoundviewsError(f"{path}: {error}") from error
