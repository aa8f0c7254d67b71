"""`soundviews separate apply` and `show`: recordings into channels, as files and as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from soundviews.cli._devices import Device
from soundviews.cli._long_runs import Wait
from soundviews.cli.separate import separate_app
from soundviews.core.errors import SoundviewsError
from soundviews.core.interruption import interrupted_says
from soundviews.core.messages import say

if TYPE_CHECKING:
    import numpy as np

    from soundviews.separation.apply import Applied

FIGURE_SUFFIXES = (".png", ".svg", ".pdf")


@separate_app.command()
def apply(
    separator: Annotated[Path, typer.Argument(help="A processor, a folder of them, or a run of `separate train`.")],
    data: Annotated[
        list[str],
        typer.Argument(help="Recordings, folders, manifests (.csv, .tsv, .parquet), dataset folders, scenes."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the channels.")],
    processor: Annotated[
        str | None, typer.Option(help="Which one: S2, F, or S2>N for N after S2. Default: the most trained.")
    ] = None,
    format_: Annotated[
        Literal["flac", "wav"], typer.Option("--format", help="flac: 24 bit; wav: 32 bit float, exact.")
    ] = "flac",
    block_seconds: Annotated[
        float,
        typer.Option(
            min=0.1, help="Longer recordings are separated in half-overlapping blocks, as long as training's clips."
        ),
    ] = 10.0,
    device: Device = "auto",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unreadable recording.")] = False,
    wait: Wait = False,
) -> None:
    """Separate recordings of any length: OUT/<recording>_<channel>.flac, which sum to the recording.

    OUT/separated.csv names the files and what they were multiplied by where a channel would pass full scale.
    Interrupted, the same command goes on. What cannot be read is named in OUT/skipped.csv.
    """
    from soundviews.face.separate import open_processor, separate_files

    loaded = open_processor(separator, processor, device)
    given = data[0] if len(data) == 1 else data
    with interrupted_says(f"the channels that are done are in {out}; the same command goes on from there"):
        result = separate_files(
            loaded, given, out, format=format_, block_seconds=block_seconds, device=device, strict=strict, wait=wait
        )
    say(
        f"{out}: {result.recordings:,} recordings in {loaded.sources} channels each, by {loaded.name} "
        f"(step {loaded.step:,}); {result.already:,} of them were there already."
    )
    _say_what_is_special(result, out)


def _say_what_is_special(result: "Applied", out: Path) -> None:
    if result.scaled:
        say(
            f"{result.scaled:,} recordings had a channel beyond full scale: all their channels are scaled by one gain, "
            f"to be found in {out / 'separated.csv'}; --format wav needs none."
        )
    if result.skipped:
        path, reason = result.skipped[0]
        say(
            f"{len(result.skipped):,} recordings could not be read; they are named in {out / 'skipped.csv'}. "
            f"The first: {path}: {reason}",
            err=True,
        )


@separate_app.command()
def show(
    bundle: Annotated[Path, typer.Argument(help="A processor, a folder of them, or a run of `separate train`.")],
    file: Annotated[Path, typer.Argument(help="A recording.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write: .png, .svg or .pdf.")],
    processors: Annotated[
        str | None, typer.Option(help="Rows from the top, e.g. S2,S1,F,N. Default: all, the most trained first.")
    ] = None,
    start: Annotated[float, typer.Option(min=0.0, help="Seconds from the recording's beginning.")] = 0.0,
    duration: Annotated[float, typer.Option(min=0.05, help="Seconds.")] = 10.0,
) -> None:
    """Draw a recording and the channels that each processor makes of it (ssep, Figure 2)."""
    import torch

    from soundviews.audio.decode import read
    from soundviews.core.errors import UnreadableClip
    from soundviews.features.log_mel import LogMel
    from soundviews.report.channels import channel_spectrograms
    from soundviews.report.spectrograms import units_of
    from soundviews.separation.processor import find_processors, load_processors

    if out.suffix.lower() not in FIGURE_SUFFIXES:
        raise SoundviewsError(f"{out}: a picture's name ends in one of {', '.join(FIGURE_SUFFIXES)}")
    names = processors.split(",") if processors else list(find_processors(bundle))[::-1]
    separators = load_processors(bundle, names)
    rate = separators[0].sample_rate
    try:
        samples = read(file, start, duration, rate, allow_silence=True)
    except UnreadableClip as error:
        raise SoundviewsError(f"{file}: {error}") from error
    window, hop = round(0.025 * rate), round(0.01 * rate)
    log_mel = LogMel(rate, 1024 if rate <= 32000 else 4096, window, hop, f_max=min(7800.0, rate / 2))
    mixture = torch.nn.functional.pad(torch.from_numpy(samples), (0, max(0, window - len(samples))))
    pictures, notes = {}, {}
    for separator in separators:
        channels = separator(mixture[None])[0]
        pictures[separator.name] = log_mel(channels).numpy()
        notes[separator.name] = f"step {separator.step:,}; {_likeness(channels.numpy(), mixture.numpy())}"
    figure = channel_spectrograms(log_mel(mixture[None])[0].numpy(), pictures, units_of(log_mel, rate), notes)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=150)
    for name, note in notes.items():
        say(f"{name}: {note}")
    say(f"{out} written")


def _likeness(channels: "np.ndarray", mixture: "np.ndarray") -> str:
    """Correlations in words: of channels with each other (mean over pairs) and of each with the mixture."""
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        table = np.nan_to_num(np.corrcoef([*channels, mixture]))  # silence is like nothing
    count = len(channels)
    with_mixture = ", ".join(f"{value:.2f}" for value in table[-1, :count])
    between = table[:count, :count][np.triu_indices(count, 1)]
    pairs = f"of the channels with each other {between.mean():.2f}, " if count > 1 else ""
    return f"correlation {pairs}with the mixture {with_mixture}"
