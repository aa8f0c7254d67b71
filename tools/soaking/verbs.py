"""The verbs that write, on inputs so small that each takes a second or two."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

TRAIN = ["--workers", "0", "--yes", "--set", "training.batch_size=4", "--set", "training.checkpoint_steps=3"]
ENCODER = ["--set", "encoder={strided_vgg: {widths: [8, 16, 16]}}", "--set", "evaluation=null"]
SEPARATOR = ["separator={tdcn: {filters: 8, bottleneck: 4, width: 6, repeats: 1, blocks: 2}}", "mixtures.seconds=0.5"]


@dataclass(frozen=True)
class Verb:
    """A verb and its arguments.

    command: From the folder that it writes into to its arguments. result: what of that folder counts.
    """

    name: str
    command: Callable[[Path], list[str]]
    result: str


def make_inputs(folder: Path) -> None:
    """Sixteen recordings of two classes, `folder`/recordings."""
    rng = np.random.default_rng(0)
    for name, pitch in (("bell", 440), ("siren", 1200)):
        (folder / "recordings" / name).mkdir(parents=True)
        for index in range(8):
            time = np.arange(32000) / 16000
            tone = 0.3 * np.sin(2 * np.pi * (pitch + 20 * index) * time) + 0.05 * rng.standard_normal(32000)
            soundfile.write(folder / "recordings" / name / f"{index}.wav", tone, 16000)


def _beside(out: Path, name: str) -> str:
    """What an uninterrupted verb has left, for those that need it."""
    return str(out.parent / "whole" / name)


def _recordings(out: Path) -> str:
    return str(out.parent / "recordings")


def _pretrain(out: Path) -> list[str]:
    recipe = ["--recipe", "uclser/small", *TRAIN, *ENCODER, "--set", "training.steps=12"]
    return ["pretrain", _recordings(out), *recipe, "--out", str(out / "run")]


def _separate_train(out: Path) -> list[str]:
    options = [part for setting in SEPARATOR for part in ("--set", setting)]
    steps = ["--set", "training.steps=6", "--set", "processors={F: 2, S1: 4}"]
    recipe = ["--recipe", "separator/small", *TRAIN, *options, *steps]
    return ["separate", "train", _recordings(out), *recipe, "--out", str(out / "separator")]


def _prepare(out: Path) -> list[str]:
    channels = ["--separator", _beside(out, "separator"), "--channels", str(out / "channels"), "--processors", "S2"]
    return ["prepare", _recordings(out), *channels]


def _apply(out: Path) -> list[str]:
    return ["separate", "apply", _beside(out, "separator"), _recordings(out), "--out", str(out / "apart")]


def _evaluate(out: Path) -> list[str]:
    judge = ["--protocol", "qbe", "--protocol", "linear:style=logistic", "--workers", "0", "--out", str(out / "judged")]
    return ["evaluate", _beside(out, "run"), "--data", _recordings(out), *judge]


VERBS = [
    Verb("pretrain", _pretrain, "run"),
    Verb("separate train", _separate_train, "separator"),
    Verb("export", lambda out: ["export", _beside(out, "run"), "--out", str(out / "bundle")], "bundle"),
    Verb("prepare", _prepare, "channels"),
    Verb("separate apply", _apply, "apart"),
    Verb(
        "embed",
        lambda out: ["embed", _beside(out, "run"), _recordings(out), "--out", str(out / "archive" / "a.parquet")],
        "archive",
    ),
    Verb("evaluate", _evaluate, "judged"),
    Verb("data scenes", lambda out: ["data", "scenes", "--to", str(out / "scenes"), "--clips", "6"], "scenes"),
]
