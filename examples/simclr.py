"""SimCLR in plain PyTorch, with our parts: `python examples/simclr.py RECORDINGS`."""

import sys

import torch

import soundviews as sv
from soundviews.audio.loader import training_loader


def pretrain(folder: str, steps: int = 1000, batch_size: int = 64) -> tuple[torch.nn.Module, list[float]]:
    corpus = sv.open_corpus(folder).cut(10)  # clips of at most 10 s
    steps_of_a_view = [{"crop": {"seconds": 1.0}}, "log_mel", "spec_augment"]
    views = sv.views.TwoViews(steps_of_a_view, log_mel=sv.features.LogMel(16000), sample_rate=16000)
    encoder = sv.create_encoder("vgg_like", embedding_size=512)
    objective = sv.objectives.NTXent(embedding_size=512, temperature=0.2)
    optimizer = torch.optim.Adam([*encoder.parameters(), *objective.parameters()], lr=1e-3)
    losses = []
    for step, clips in enumerate(training_loader(corpus, 16000, batch_size, 0, 0, steps, workers=2)):
        patches_a, patches_b = views(clips.samples, clips.lengths, (0, step))  # drawn from (seed, step)
        loss = objective(encoder(patches_a[:, None]), encoder(patches_b[:, None])).value
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return encoder, losses


if __name__ == "__main__":
    torch.save(pretrain(sys.argv[1])[0].state_dict(), "encoder.pt")
