"""What the demonstration's report shows besides the evaluation: the separator, the views, both trainings."""

from collections.abc import Sequence
from pathlib import Path

import torch

from soundviews.audio.corpus import Corpus
from soundviews.audio.decode import read
from soundviews.audio.loader import training_loader
from soundviews.evaluation.result import Evaluation
from soundviews.evaluation.separation import SeparationFigures
from soundviews.evaluation.verdicts import verdicts
from soundviews.features import FrontEnd
from soundviews.pretraining.channels import Draw, channels_of, processors_of
from soundviews.pretraining.log import read_metrics
from soundviews.recipes.building import build
from soundviews.recipes.schema import Recipe
from soundviews.report import figures
from soundviews.report.channels import channel_spectrograms
from soundviews.report.headline import RANDOM_ENCODER, headline
from soundviews.report.html import Code, Figure, Section, Table, Text
from soundviews.report.spectrograms import units_of
from soundviews.separation.processor import Processor

SHOWN_SCENES = 6


def first_sentence(result: Evaluation) -> str:
    """Whether learning helped: the encoder against the same one with random weights, under the first protocol."""
    said = headline(result).splitlines()[0]
    first = result.rows[0]
    random = [row for row in result.rows if row.label == first.label and row.system == RANDOM_ENCODER]
    if not random:
        return said
    (verdict,) = verdicts(first, random)
    better = "Learning helped" if verdict.difference > 0 else "Learning made it worse"
    answer = better if verdict.decided else "Learning is not shown to have helped"
    return f"{answer}: {said[0].lower()}{said[1:]}"


def separation_section(
    processors: Sequence[Processor], qualities: Sequence[SeparationFigures], scenes: Corpus, log_mel: FrontEnd
) -> Section:
    """A held-out scene taken apart by each processor, and how well they do on average.

    Args:
        processors: In the order of the rows.
        qualities: Of each processor, on scenes with two known sources.
        scenes: Those that the separator has not learned from.
        log_mel: Front-end of the picture, at the processors' sample rate.
    """
    rows: list[tuple[str | int | float, ...]] = [
        (quality.processor, quality.step, *(quality.figures[name] for name in ("msi", *CHARACTER)))
        for quality in qualities
    ]
    columns = ("processor", "steps", "SI-SNRi, dB", *CHARACTER.values())
    caption = (
        f"Means over {qualities[0].scored} held-out scenes of two sources. The more SI-SNRi, the better separated."
    )
    return Section(
        "What the scenes were separated into",
        [
            Text(
                "A separator learned from mixtures of two scenes, without knowing what is in either. Four of its "
                "checkpoints are kept as processors: N before the first step, F and S1 on the way, S2 at the end. "
                "N adds a noise of its own. Training first takes that away, then begins to take the scene apart; "
                "the table says how far it came in so few steps."
            ),
            Figure(
                _separated(processors, scenes, log_mel),
                "A held-out scene, and the two channels that each processor makes of it.",
                "Spectrograms of a scene and of its separated channels",
            ),
            Table(columns, rows, caption),
        ],
    )


CHARACTER = {
    "mixture_correlation": "likeness of channel and scene",
    "channel_correlation": "likeness of the channels",
}


def _separated(processors: Sequence[Processor], scenes: Corpus, log_mel: FrontEnd) -> figures.Figure:
    """The first scene with two events or more."""
    labels = (scenes.clip(row).labels for row in range(len(scenes)))
    scene = scenes.clip(next((row for row, names in enumerate(labels) if len(names) > 1), 0))
    mixture = torch.from_numpy(read(scene.path, scene.start, scene.duration, processors[0].sample_rate))[None]
    pictures = {processor.name: log_mel(processor(mixture)[0]).numpy() for processor in processors}
    notes = {processor.name: f"{processor.step:,} steps" for processor in processors}
    names = ", ".join(scenes.vocabulary[label] for label in scene.labels)
    units = units_of(log_mel, processors[0].sample_rate)
    return channel_spectrograms(log_mel(mixture)[0].numpy(), pictures, units, notes | {"mixture": names})


def views_section(recipe: Recipe, corpus: Corpus, separator: Path) -> Section:
    """Both branches' patches of some scenes."""
    parts, size = build(recipe, weights=False), SHOWN_SCENES
    processors = processors_of(recipe, parts.views, str(separator))
    loader = training_loader(
        corpus, recipe.audio.sample_rate, size, recipe.training.seed, 0, 1, 0, parts.views.backgrounds
    )
    batch = next(iter(loader))
    wanted = Draw(parts.views, recipe.training.seed, [()])(0, 0, size)
    with torch.inference_mode():
        channels = channels_of(batch, processors, wanted, size)
        anchor, positive = parts.views(batch.samples, batch.lengths, (recipe.training.seed, 0, 0), channels)
    names = [", ".join(corpus.vocabulary[label] for label in corpus.clip(int(i)).labels) for i in batch.index[:size]]
    units = units_of(parts.log_mel, recipe.audio.sample_rate)
    by = ", ".join(processors[int(index)].name for block in wanted for index in block.processor)
    return Section(
        "What it learned from",
        [
            Text(
                "Two views of the same scene: different seconds of it, one of the scene as it is, the other of one of "
                "its separated channels; each mixed with a faint background from another scene, cropped and "
                "compressed. The encoder learns to tell which two belong together."
            ),
            Figure(
                figures.view_patches(anchor.numpy(), positive.numpy(), units, names),
                "Six scenes: the view above is of the recording, the one below of a channel of it"
                + (f", separated by {by} from left to right." if by else "."),
                "Log-mel patches of both branches",
            ),
        ],
    )


def training_section(separator: Path, run: Path) -> Section:
    """Curves of both runs."""
    curves = read_metrics(run / "metrics.csv").items()
    learning = {name: points for name, points in curves if name.endswith(("loss", "_accuracy"))}
    separation = {f"separator: {name}": points for name, points in read_metrics(separator / "metrics.csv").items()}
    return Section(
        "How it went",
        [
            Figure(figures.training_curves(learning), "The encoder: loss, in-batch accuracy."),
            Figure(
                figures.training_curves(separation),
                "The separator: how well its channels add up to the two scenes again (snr, dB).",
            ),
        ],
    )


def next_section() -> Section:
    """The same for recordings of one's own, on the command line and in Python."""
    return Section(
        "Now your own recordings",
        [
            Code(
                "soundviews embed base MY_RECORDINGS --out archive.parquet\n"
                "soundviews search archive.parquet SOUND_I_LOOK_FOR.wav\n"
                "\n"
                "soundviews pretrain MY_RECORDINGS --out runs/first\n"
                "soundviews evaluate runs/first --data MY_LABELLED_CLIPS --protocol linear --baselines\n"
                "soundviews compare runs/first base logmel --data MY_LABELLED_CLIPS\n"
                "\n"
                "soundviews separate train MY_RECORDINGS --recipe separator/small --out runs/separator\n"
                "soundviews separate apply runs/separator MY_RECORDINGS --out channels"
            ),
            Text("The same in Python:"),
            Code(
                "import soundviews as sv\n"
                "\n"
                'vectors, clips = sv.embed("base", "MY_RECORDINGS")\n'
                'sv.embed_archive("base", "MY_RECORDINGS", "archive.parquet")\n'
                'hits = sv.open_archive("archive.parquet").search("SOUND_I_LOOK_FOR.wav")\n'
                "\n"
                'model = sv.pretrain("MY_RECORDINGS", "runs/first")\n'
                'print(sv.evaluate(model, "MY_LABELLED_CLIPS", "linear", baselines=True))\n'
                'print(sv.compare({"mine": model, "base": "base"}, "MY_LABELLED_CLIPS"))\n'
                "\n"
                'run = sv.train_separator("MY_RECORDINGS", "runs/separator", recipe="separator/small")\n'
                'channels = sv.separate(run, "A_RECORDING.wav")'
            ),
        ],
    )
