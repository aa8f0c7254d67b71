"""Make docs/results/cnn14_scales.md: does ssep's CNN14 train without batch norm, and from which weights?

    python -m studies.cnn14_scales [--steps 1000] [--batch 8] [--rate 1e-4] [--precision bf16] [--out PAGE]

Scales of activations and gradients by layer, on one batch that training never sees: at initialisation (He normal, which
was chosen, and Xavier uniform, which PANNs' CNN14 has), and after training from the former. Then the first steps of
what was not chosen: He's weights without warm-up, and Xavier's with it.
"""

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import training_loader
from soundviews.core.randomness import hashed_seed
from soundviews.datasets.opening import open_corpus
from soundviews.encoders.cnn14 import Block, PlainCNN14
from soundviews.features import LogMel
from soundviews.objectives import NTXent
from soundviews.objectives.base import Loss
from soundviews.views.pipeline import TwoViews
from studies._page import RESULTS, notes, table, written_by

RATE = 16000
FIRST = 40  # steps of what was not chosen
FEATURES: dict[str, Any] = {"n_fft": 512, "window_length": 400, "hop_length": 160, "n_mels": 64}
FEATURES |= {"f_min": 125.0, "f_max": 7500.0, "mel_scale": "htk"}
FEATURES |= {"power": 1.0, "log": "ln", "floor": 0.01, "floor_mode": "add"}
STEPS = [{"patch": {"frames": 96}}]
ENCODER: dict[str, Any] = {"embedding_size": 128, "width": 1.0}
OBJECTIVE: dict[str, Any] = {"temperature": 0.3, "hidden_size": 256, "projection_size": 128, "head_batch_norm": False}
NAMES = [f"block {block}, convolution {number}" for block in range(1, 7) for number in (1, 2)] + ["embedding, 1x1"]


class Scales(NamedTuple):
    """Scales by layer, and what they lead to.

    activations: RMS of what each layer gives. gradients: RMS of each layer's weight gradient over that of its weights.
    cosine: The mean cosine of h between patches of different clips.
    """

    activations: list[float]
    gradients: list[float]
    loss: float
    cosine: float


def pairs(corpus: Corpus, batch: int, steps: int, seed: int) -> Iterator[Tensor]:
    """Two patches of each of `batch` clips, (2 * batch, 1, frames, mels): all first ones, then all second ones."""
    views = TwoViews(STEPS, log_mel=LogMel(RATE, **FEATURES), sample_rate=RATE, fill="repeat")
    loader = training_loader(corpus, RATE, batch, seed=seed, start_step=0, steps=steps, workers=0)
    for step, clips in enumerate(loader):
        patches = torch.cat(views(clips.samples, clips.lengths, (seed, step, 0)))
        yield patches[:, None]


def forward(encoder: nn.Module, objective: nn.Module, patches: Tensor, precision: torch.dtype) -> tuple[Tensor, Loss]:
    with torch.autocast("cpu", precision, enabled=precision != torch.float32):
        h = encoder(patches)
        return h, objective(*h.chunk(2))


def measure(encoder: PlainCNN14, objective: nn.Module, patches: Tensor) -> Scales:
    """Measure in float32, whatever training uses. A block's second convolution is measured behind its pooling."""
    activations: list[float] = []

    def note(_module: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> None:
        activations.append(rms(output.detach()))

    blocks = [cast(Block, block) for block in encoder.blocks]
    layers = [layer for block in blocks for layer in (block.layers[1], block)] + [encoder.embedding]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    encoder.zero_grad()
    h, loss = forward(encoder, objective, patches, torch.float32)
    loss.value.backward()
    for hook in hooks:
        hook.remove()
    weights = [module.weight for module in encoder.modules() if isinstance(module, nn.Conv2d)]
    gradients = [rms(cast(Tensor, weight.grad)) / rms(weight.detach()) for weight in weights]
    h = nn.functional.normalize(h.detach(), dim=1)
    clip = torch.arange(len(h)) % (len(h) // 2)
    cosine = (h @ h.T)[clip[:, None] != clip].mean().item()
    return Scales(activations, gradients, loss.value.item(), cosine)


def rms(x: Tensor) -> float:
    return float(x.double().square().mean().sqrt())


def fresh(seed: int, xavier: bool = False) -> tuple[PlainCNN14, NTXent]:
    """Encoder and objective with He's weights, the encoder's own, or with Xavier's."""
    torch.manual_seed(hashed_seed(seed, "weights"))
    encoder = PlainCNN14(**ENCODER)
    objective = NTXent(encoder.embedding_size, **OBJECTIVE)
    for module in encoder.modules() if xavier else ():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)
    return encoder, objective


class Step(NamedTuple):
    """The loss, the in-batch accuracy and the RMS of h, of one training batch before its update."""

    loss: float
    accuracy: float
    size: float


def train(
    encoder: nn.Module, objective: NTXent, batches: Iterator[Tensor], precision: torch.dtype, rate: float, warmup: int
) -> list[Step]:
    """One step of Adam a batch; its `rate` grows linearly over the first `warmup` steps."""
    optimizer = torch.optim.Adam([*encoder.parameters(), *objective.parameters()], lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / max(1, warmup)))
    history: list[Step] = []
    for patches in batches:
        optimizer.zero_grad()
        h, loss = forward(encoder, objective, patches, precision)
        loss.value.backward()
        optimizer.step()
        schedule.step()
        history.append(Step(loss.value.item(), float(loss.metrics["accuracy"]), rms(h.detach())))
        if len(history) % 50 == 0:
            print(f"step {len(history)}: loss {history[-1].loss:.3f}", flush=True)
    return history


def layers_table(he: Scales, trained: Scales, xavier: Scales, steps: int) -> list[str]:
    after = f"He, after {steps:,} steps"
    header = ["layer", "RMS given: He", after, "Xavier", "gradient / weight: He", after, "Xavier"]
    columns = [he.activations, trained.activations, xavier.activations]
    columns += [he.gradients, trained.gradients, xavier.gradients]
    rows = [[name, *(f"{value:.2g}" for value in row)] for name, *row in zip(NAMES, *columns, strict=True)]
    ends = (he, trained, xavier)
    losses = ["NT-Xent", *(f"{scales.loss:.3f}" for scales in ends)]
    cosines = ["cosine of h between different clips", *(f"{scales.cosine:.4f}" for scales in ends)]
    return [*table(header, rows), *table(["of that batch", "He", after, "Xavier"], [losses, cosines])]


def curve_table(histories: dict[str, list[Step]]) -> list[str]:
    """Loss, accuracy and RMS of h at a few steps of each history, blank where it has ended."""
    heads = [f"{name}: {word}" for name in histories for word in ("loss", "accuracy", "RMS of h")]
    steps = max(len(history) for history in histories.values())
    ends = sorted({steps, *(s for s in (1, 5, 10, 20, 30, 40, 60, 100, 200, 400, 600, 800) if s < steps)})
    rows = []
    for start, end in itertools.pairwise([0, *ends]):
        cells: list[str] = []
        for history in histories.values():
            some = history[max(start, end - 50) : end]
            if len(history) < end:
                cells += ["", "", ""]
                continue
            loss, accuracy, size = (sum(column) / len(some) for column in zip(*some, strict=True))
            cells += [f"{loss:.3f}", f"{accuracy:.3f}", f"{size:.3g}"]
        rows.append([f"{end:,}", *cells])
    return table(["up to step", *heads], rows)


class Measured(NamedTuple):
    """Scales of He's weights fresh and trained and of Xavier's, losses by what was trained, seconds of a step."""

    he: Scales
    trained: Scales
    xavier: Scales
    curves: dict[str, list[Step]]
    seconds: float
    mean: float
    std: float


def measure_all(chosen: argparse.Namespace) -> Measured:
    """Train and measure everything; `mean` and `std` are those of the features."""
    seed, batch, precision = chosen.seed, chosen.batch, torch.bfloat16 if chosen.precision == "bf16" else torch.float32
    corpus = open_corpus(learned(chosen))
    sample = torch.cat(list(pairs(corpus, batch, max(1, min(64, chosen.clips // batch)), seed + 1)))
    mean, std = float(sample.mean()), float(sample.std())
    unseen = open_corpus(held_out(chosen))
    judged = (next(pairs(unseen, batch, 1, seed)) - mean) / std

    def learn(encoder: PlainCNN14, objective: NTXent, steps: int, warmup: int) -> list[Step]:
        standardised = ((patches - mean) / std for patches in pairs(corpus, batch, steps, seed))
        return train(encoder, objective, standardised, precision, chosen.rate, warmup)

    first = min(FIRST, chosen.steps)
    unwarmed = learn(*fresh(seed), first, 0)
    other = fresh(seed, xavier=True)
    xavier, of_xavier = measure(*other, judged), learn(*other, first, chosen.warmup)
    encoder, objective = fresh(seed)
    he = measure(encoder, objective, judged)
    started = time.perf_counter()
    history = learn(encoder, objective, chosen.steps, chosen.warmup)
    seconds = (time.perf_counter() - started) / chosen.steps
    curves = {"He": history, "He, no warm-up": unwarmed, "Xavier": of_xavier}
    return Measured(he, measure(encoder, objective, judged), xavier, curves, seconds, mean, std)


def learned(chosen: argparse.Namespace) -> str:
    return f"scenes:clips={chosen.clips},seed={chosen.seed}"


def held_out(chosen: argparse.Namespace) -> str:
    return f"scenes:clips={chosen.batch},seed={chosen.seed + 1}"


def write(chosen: argparse.Namespace, measured: Measured) -> None:
    batch = chosen.batch
    page = [
        "# ssep's CNN14 without batch norm: scales by layer",
        "",
        "Full width, 75,731,520 weights. The encoder's own weights are He normal (gain of ReLU; linear for the 1x1 "
        "convolution), biases zero. Xavier uniform, which the published CNN14 has with batch norm, is measured where "
        "training would start, on the same batch and with the same head. A block's second row is what the block gives, "
        f"after pooling; all scales are of one batch of {batch} unseen scenes, in float32.",
        "",
        *notes(RESULTS / "cnn14_scales.md"),
        written_by("cnn14_scales"),
        "",
        *layers_table(measured.he, measured.trained, measured.xavier, chosen.steps),
        f"A guess among the {2 * batch - 1} others has an NT-Xent of {torch.tensor(2.0 * batch - 1).log():.3f}.",
        "",
        "## The loss while training",
        "",
        "On the training batches, means over the last 50 steps or fewer, back to the row before. The learning rate "
        f"grows linearly over the first {chosen.warmup} steps, but for the columns that say not. "
        f"{measured.seconds:.2f} s a step.",
        "",
        *curve_table(measured.curves),
        "## Settings",
        "",
        f"- corpus `{learned(chosen)}`, judged on `{held_out(chosen)}`; seed {chosen.seed}",
        f"- views, both alike: `{STEPS}`; features at {RATE:,} Hz: `{FEATURES}`",
        f"- standardised by mean {measured.mean:.3f} and deviation {measured.std:.3f}",
        f"- encoder `cnn14: {ENCODER | {'normalization': 'none'}}`; objective `nt_xent: {OBJECTIVE}`",
        f"- Adam {chosen.rate}, {chosen.steps:,} steps of {batch} clips ({2 * batch} patches), {chosen.precision}, "
        f"warm-up {chosen.warmup}, threads: {torch.get_num_threads()}",
    ]
    chosen.out.write_text("\n".join(page) + "\n")
    print(chosen.out)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=8, help="clips a step, two patches each")
    parser.add_argument("--rate", type=float, default=1e-4, help="of Adam; ssep's own, its joint form's")
    parser.add_argument("--warmup", type=int, default=100, help="steps over which the learning rate grows")
    parser.add_argument("--precision", choices=("bf16", "float32"), default="bf16", help="of training")
    parser.add_argument("--clips", type=int, default=1000, help="scenes to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "cnn14_scales.md", metavar="PAGE")
    chosen = parser.parse_args(arguments)
    write(chosen, measure_all(chosen))


if __name__ == "__main__":
    main()
