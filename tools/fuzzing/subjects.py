"""What is damaged, and what is then done with it, as a user does it: one entry for every kind of file that is read."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import torch

from soundviews.archive import parts
from soundviews.archive.embed import embed_files
from soundviews.audio.corpus import Corpus, Skipped
from soundviews.audio.decode import read
from soundviews.audio.loader import evaluation_batches
from soundviews.core.component import Component
from soundviews.core.errors import UnreadableClip
from soundviews.datasets.opening import open_corpus
from soundviews.encoders import create_encoder
from soundviews.evaluation.embeddings import embed_corpus
from soundviews.face.pretrain import resume_pretraining
from soundviews.face.search import open_archive
from soundviews.face.separate import separate
from soundviews.model import Model, load
from soundviews.model.bundle import save_bundle
from soundviews.model.config import BundleConfig
from soundviews.pretraining.run import pretrain
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.recipes.schema import Statistics, WindowSettings
from soundviews.separation import TDCN
from soundviews.separation.apply import apply_files
from soundviews.separation.prepared import PreparedChannels
from soundviews.separation.preparing import prepare
from soundviews.separation.processor import ProcessorConfig, load_processors, save_processor

RATE = 8000
SHORT = 0.4  # seconds of a block, so that every recording is embedded by itself
AUDIO = ("wav", "flac", "ogg", "opus", "mp3", "aiff", "au", "caf", "w64")
CONTAINERS = {"m4a": "aac", "webm": "libopus"} if find_spec("av") else {}
FEATURES = {"n_fft": 256, "window_length": 200, "hop_length": 80, "n_mels": 32, "f_max": 4000}
WINDOWS = {"unit": "spectrogram", "size": 41, "hop": 41, "crop": 41, "tail": "drop"}
SEPARATOR: dict[str, Any] = {
    "window": 20,
    "hop": 10,
    "filters": 8,
    "bottleneck": 4,
    "width": 6,
    "repeats": 2,
    "blocks": 2,
}
TRAINING = [
    f"audio.sample_rate={RATE}",
    f"features={FEATURES}".replace("'", ""),
    "views.anchor=[peak_normalize, patch: {frames: 41}]",
    "views.positive=[peak_normalize, patch: {frames: 41}]",
    "encoder={vgg_like: {embedding_size: 8}}",
    "training.batch_size=4",
    "training.held_out=0",
    f"inference.windows={WINDOWS}".replace("'", ""),
]


class Subject(NamedTuple):
    """One kind of file.

    make: Writes whole ones, and what belongs to them, into a folder.
    damaged: Patterns of the files in it of which a case damages one.
    use: Is given a copy of that folder with the damage, and the whole one. Returns what was left out, by name.
    share: Of the cases; use that takes long has a small one.
    """

    make: Callable[[Path], None]
    damaged: Sequence[str]
    use: Callable[[Path, Path], Sequence[Skipped]]
    share: int = 4


class Wrong(AssertionError):
    """What came out must not be."""


def require(right: bool, what: str) -> None:
    if not right:
        raise Wrong(what)


def require_finite(values: np.ndarray | torch.Tensor, what: str) -> None:
    require(bool(np.isfinite(np.asarray(values)).all()), f"{what} not finite")


def noise(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).normal(size=round(seconds * RATE)).astype(np.float32)


def write_recordings(folder: Path, count: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        soundfile.write(folder / f"{number}.wav", noise(0.5 + 0.1 * number, number), RATE)
    return folder


def write_bundle(folder: Path) -> Path:
    torch.manual_seed(0)
    config = BundleConfig(
        sample_rate=RATE,
        level="peak",
        fill="repeat",
        features=FEATURES,
        windows=WindowSettings.model_validate(WINDOWS),
        statistics=Statistics(mean=-6.0, std=3.0),
        encoder=Component(name="vgg_like", options={"embedding_size": 8}),
        embedding_size=8,
        recipe="fuzz",
    )
    return save_bundle(folder, config, create_encoder("vgg_like", embedding_size=8))


def require_every_clip(corpus: Corpus, store: bool = False) -> tuple[np.ndarray, list[Skipped]]:
    """Read every clip: the samples of all that can be read, and the others by name."""
    skipped = list(corpus.skipped)
    batches = list(evaluation_batches(corpus, RATE, 8, store=store, skipped=skipped))
    rows = sum(len(batch.index) for batch in batches)
    left_out = len(skipped) - len(corpus.skipped)
    require(rows + left_out == len(corpus), f"{rows} of {len(corpus)} clips were read, {left_out} are named")
    samples = [
        row[:length].numpy() for batch in batches for row, length in zip(batch.samples, batch.lengths, strict=True)
    ]
    joined = np.concatenate(samples) if samples else np.zeros(0, np.float32)
    require_finite(joined, "samples are")
    return joined, skipped


def _audio(suffix: str) -> Subject:
    def make(folder: Path) -> None:
        write_recordings(folder / "recordings", 1)
        path = folder / "recordings" / f"damaged.{suffix}"
        if suffix in CONTAINERS:
            _write_container(path, CONTAINERS[suffix])
        else:
            opus = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
            soundfile.write(path, np.stack([noise(), noise(seed=1)], axis=1), RATE, **opus)

    def use(folder: Path, whole: Path) -> Sequence[Skipped]:
        _, skipped = require_every_clip(open_corpus(str(folder / "recordings"), progress=False))
        require({Path(entry.path).name for entry in skipped} <= {f"damaged.{suffix}"}, "another recording is left out")
        with suppress(UnreadableClip):
            require_finite(read(folder / "recordings" / f"damaged.{suffix}", 0.3, 0.2, 16000), "a stretch is")
        return skipped

    return Subject(make, [f"recordings/damaged.{suffix}"], use)


def _write_container(path: Path, codec: str) -> None:
    import av

    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=48000, layout="mono")
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=48000, frame_size=960)
        frame = av.AudioFrame.from_ndarray(np.tile(noise(), 6)[None], format="fltp", layout="mono")
        frame.sample_rate = 48000
        for block in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(block))
        out.mux(stream.encode(None))


def _make_bundle(folder: Path) -> None:
    write_bundle(folder / "bundle")


def _use_bundle(folder: Path, whole: Path) -> Sequence[Skipped]:
    model = load(folder / "bundle")
    require_finite(model.embed(np.tile(noise(), 3), RATE).vectors, "vectors are")
    return []


def _make_archive(folder: Path) -> None:
    bundle = write_bundle(folder / "bundle")
    corpus = open_corpus(str(write_recordings(folder / "recordings")), progress=False)
    embed_files(load(bundle), corpus, folder / "archive.parquet", bundle)


def _search(folder: Path, whole: Path) -> Sequence[Skipped]:
    hits = open_archive(folder / "archive.parquet", folder / "bundle").search(noise(), sample_rate=RATE)
    require_finite(np.array([hit.similarity for hit in hits]), "similarities are")
    require(all(isinstance(hit.recording, str) and hit.start <= hit.end for hit in hits), "a hit is no window")
    return []


def _embed_onto(folder: Path, whole: Path) -> Sequence[Skipped]:
    corpus = open_corpus(str(whole / "recordings"), progress=False)
    out = folder / "archive.parquet"
    embed_files(load(whole / "bundle"), corpus, out, whole / "bundle")
    require(pq.read_metadata(out).num_rows == pq.read_metadata(whole / "archive.parquet").num_rows, "rows are lost")
    return []


class _Stopping(Model):
    """Is interrupted after two clips."""

    def embed_clips(self, *arguments, **options):  # type: ignore[no-untyped-def]
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls > 2:
            raise KeyboardInterrupt
        return super().embed_clips(*arguments, **options)


def _make_parts(folder: Path) -> None:
    write_bundle(folder / "bundle")
    corpus = open_corpus(str(write_recordings(folder / "recordings", 5)), progress=False)
    embed_files(load(folder / "bundle"), corpus, folder / "right.parquet", folder / "bundle", block_seconds=SHORT)
    model, seconds = load(folder / "bundle"), parts.PART_SECONDS
    model.__class__ = _Stopping
    parts.PART_SECONDS = 0.0
    try:
        embed_files(model, corpus, folder / "out.parquet", folder / "bundle", block_seconds=SHORT)
    except KeyboardInterrupt:
        pass
    finally:
        parts.PART_SECONDS = seconds


def _embed_on(folder: Path, whole: Path) -> Sequence[Skipped]:
    corpus = open_corpus(str(whole / "recordings"), progress=False)
    embed_files(load(whole / "bundle"), corpus, folder / "out.parquet", whole / "bundle", block_seconds=SHORT)
    made, right = pq.read_table(folder / "out.parquet"), pq.read_table(whole / "right.parquet")
    require(made.equals(right), "the archive is another than without damage")
    return []


def _make_recipes(folder: Path) -> None:
    (folder / "recipe.yaml").write_text(
        "base: uclser\naudio: {sample_rate: 8000, clip_seconds: 5.0}\nedit_views: {patch: {frames: 41}}\n"
        "features: {n_fft: 256, window_length: 200, hop_length: 80, n_mels: 32, f_max: 4000}\n"
        "encoder: {vgg_like: {embedding_size: 16}}\nobjectives: [{nt_xent: {temperature: 0.3}}]\n"
        "training: {steps: 10, batch_size: 4, precision: 32-true, checkpoint_steps: 5, gradient_clip: 1.0}\n"
        "inference: {windows: {hop: 41}}\n"
    )
    (folder / "separator.yaml").write_text(
        "base: separator\nseparator: {tdcn: {sources: 2, filters: 8, bottleneck: 4, width: 6, repeats: 2, blocks: 2}}\n"
        "training: {steps: 9000, batch_size: 2}\nprocessors: {F: 50}\n"
    )


def _read_recipe(folder: Path, whole: Path) -> Sequence[Skipped]:
    load_recipe(folder / "recipe.yaml")
    return []


def _read_separator_recipe(folder: Path, whole: Path) -> Sequence[Skipped]:
    load_separator_recipe(folder / "separator.yaml")
    return []


def _make_manifests(folder: Path) -> None:
    write_recordings(folder)
    for suffix, delimiter in (("csv", ","), ("tsv", "\t")):
        rows = [("path", "label", "fold", "split", "start", "end")]
        rows += [(f"{row % 3}.wav", "a;b" if row % 2 else "a", str(row % 2), "train", "0.1", "0.4") for row in range(4)]
        (folder / f"clips.{suffix}").write_text("".join(delimiter.join(row) + "\n" for row in rows[:4]))
    columns = {"path": [f"{row}.wav" for row in range(3)], "labels": [["a"], ["a", "b"], []], "fold": [0, 1, 0]}
    columns |= {"start": [0.0, 0.1, 0.2], "end": [0.3, 0.4, None]}
    pq.write_table(pa.table(columns), folder / "clips.parquet")


def _manifest(suffix: str) -> Subject:
    def use(folder: Path, whole: Path) -> Sequence[Skipped]:
        corpus = open_corpus(str(folder / f"clips.{suffix}"), progress=False).cut(0.2)
        corpus.label_matrix()
        return require_every_clip(corpus)[1]

    return Subject(_make_manifests, [f"clips.{suffix}"], use)


def _make_run(folder: Path) -> None:
    corpus = write_recordings(folder / "recordings", 8)
    pretrain(load_recipe("uclser", [*TRAINING, "training.steps=2"]), str(corpus), folder / "run", workers=0)
    page = (folder / "run" / "recipe.yaml").read_text()
    (folder / "run" / "recipe.yaml").write_text(page.replace("steps: 2\n", "steps: 3\n", 1))


def _resume(folder: Path, whole: Path) -> Sequence[Skipped]:
    model = resume_pretraining(folder / "run")
    require_finite(model.embed(noise(), RATE).vectors, "vectors are")
    return []


def _make_separator(folder: Path) -> None:
    write_recordings(folder / "recordings")
    for step, name in enumerate(("N", "S2")):
        torch.manual_seed(step)
        component = Component(name="tdcn", options=SEPARATOR)
        config = ProcessorConfig(name=name, step=step, sample_rate=RATE, separator=component, recipe="fuzz")
        save_processor(folder / "processors" / name, config, TDCN(**SEPARATOR))


def _use_processors(folder: Path, whole: Path) -> Sequence[Skipped]:
    for processor in load_processors(folder / "processors"):
        require_finite(separate(processor, noise(), sample_rate=RATE), "channels are")
    return []


def _make_applied(folder: Path) -> None:
    _make_separator(folder)
    (recordings := folder / "recordings").joinpath("text.wav").write_text("text")
    names = [path.name for path in sorted(recordings.iterdir())]
    apply_files(load_processors(folder / "processors")[0], Corpus.from_columns(recordings, names), folder / "out")


def _apply_again(folder: Path, whole: Path) -> Sequence[Skipped]:
    names = [path.name for path in sorted((whole / "recordings").iterdir())]
    corpus = Corpus.from_columns(whole / "recordings", names)
    result = apply_files(load_processors(whole / "processors")[0], corpus, folder / "out")
    require(result.recordings == 3 and len(result.skipped) == 1, "recordings are lost")
    return result.skipped


def _make_prepared(folder: Path) -> None:
    _make_separator(folder)
    corpus = open_corpus(str(folder / "recordings"), progress=False).cut(10.0)
    prepare(corpus, load_processors(folder / "processors"), folder / "channels")


def _prepare_again(folder: Path, whole: Path) -> Sequence[Skipped]:
    corpus = open_corpus(str(whole / "recordings"), progress=False).cut(10.0)
    result = prepare(corpus, load_processors(whole / "processors"), folder / "channels")
    require(result.total == 6 - len(result.skipped), "channels are lost")
    return result.skipped


def _read_prepared(folder: Path, whole: Path) -> Sequence[Skipped]:
    corpus = open_corpus(str(whole / "recordings"), progress=False).cut(10.0)
    prepared = PreparedChannels(folder / "channels", corpus, load_processors(whole / "processors"))
    skipped = []
    for row in range(len(corpus)):
        try:
            for processor in range(2):
                prepared.worst(processor, row)
                require_finite(prepared.read(processor, 1, row), "channels are")
        except UnreadableClip as error:
            skipped.append(Skipped(corpus.clip(row).path, str(error)))
    return skipped


def _fill_cache(folder: Path, whole: Path) -> np.ndarray:
    """What comes out of a corpus with the cache in `folder`: samples and vectors of every clip."""
    before = os.environ.get("SOUNDVIEWS_CACHE")
    os.environ["SOUNDVIEWS_CACHE"] = str(folder / "cache")
    try:
        corpus = open_corpus(str(whole / "recordings"), progress=False).with_durations(progress=False)
        samples, _ = require_every_clip(corpus, store=True)
        vectors = embed_corpus(load(whole / "bundle"), corpus, cache=folder / "cache" / "embeddings").vectors
        return np.concatenate([samples, np.asarray(vectors).ravel()])
    finally:
        os.environ.pop("SOUNDVIEWS_CACHE") if before is None else os.environ.update(SOUNDVIEWS_CACHE=before)


def _make_cache(folder: Path) -> None:
    write_bundle(folder / "bundle")
    write_recordings(folder / "recordings")
    np.save(folder / "right.npy", _fill_cache(folder, folder))


def _use_cache(folder: Path, whole: Path) -> Sequence[Skipped]:
    require(np.array_equal(_fill_cache(folder, whole), np.load(whole / "right.npy")), "the cache gives other results")
    return []


SUBJECTS: dict[str, Subject] = {
    **{suffix: _audio(suffix) for suffix in (*AUDIO, *CONTAINERS)},
    "bundle": Subject(_make_bundle, ["bundle/*"], _use_bundle, 12),
    "archive, searched": Subject(_make_archive, ["archive.parquet"], _search, 8),
    "archive, embedded onto": Subject(_make_archive, ["archive.parquet"], _embed_onto),
    "parts of an archive": Subject(_make_parts, ["out.parquet.parts/*"], _embed_on),
    "recipe": Subject(_make_recipes, ["recipe.yaml"], _read_recipe, 10),
    "separator's recipe": Subject(_make_recipes, ["separator.yaml"], _read_separator_recipe),
    **{f"manifest, {suffix}": _manifest(suffix) for suffix in ("csv", "tsv", "parquet")},
    "run": Subject(_make_run, ["run/*.*", "run/checkpoints/*", "run/bundle/*"], _resume, 1),
    "processors": Subject(_make_separator, ["processors/*/*"], _use_processors),
    "channels, as files": Subject(_make_applied, ["out/*.csv"], _apply_again, 2),
    "channels, prepared": Subject(_make_prepared, ["channels/*/*", "channels/*/*/*"], _prepare_again, 2),
    "channels, read": Subject(_make_prepared, ["channels/*/*", "channels/*/*/*"], _read_prepared),
    "cache": Subject(_make_cache, ["cache/*/*", "cache/*/*/*"], _use_cache),
}
