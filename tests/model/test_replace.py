"""Variants of a model: what they share, what differs, and that the fingerprint follows."""

import numpy as np
import torch

from soundviews.encoders import create_encoder
from soundviews.model import Model

NOISE = (0.1 * np.random.default_rng(0).standard_normal(40_000)).astype(np.float32)


def vectors(model: Model) -> np.ndarray:
    return model.embed(NOISE, 16_000).vectors


def test_other_windows_change_the_fingerprint_and_leave_the_model_as_it_was(cola: Model) -> None:
    before, dense = vectors(cola), cola.with_hop(7840)
    assert dense.config.windows.hop == 7840 and dense.hop_seconds == 0.49 and cola.hop_seconds == 0.98
    assert dense.encoder is cola.encoder and dense.name == cola.name
    assert dense.fingerprint != cola.fingerprint and dense.with_hop(100).fingerprint != dense.fingerprint
    assert dense.fingerprint == cola.with_hop(7840).fingerprint
    assert cola.replace(windows=cola.config.windows).fingerprint == cola.fingerprint
    np.testing.assert_allclose(vectors(dense)[:4:2], before[:2], atol=1e-6)
    np.testing.assert_allclose(vectors(cola), before, atol=1e-6)


def test_fresh_weights_are_those_of_the_seed(cola: Model) -> None:
    one, again, other = (cola.reinitialised(seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(vectors(one), vectors(again))
    assert not np.allclose(vectors(one), vectors(other)) and not np.allclose(vectors(one), vectors(cola))
    assert one.fingerprint == again.fingerprint
    assert len({model.fingerprint for model in (cola, one, other)}) == 3
    assert one.name == "small random"


def test_an_encoder_that_nobody_named_has_no_fingerprint(cola: Model) -> None:
    """So that its embeddings are never taken for those of another that was kept."""
    encoder = create_encoder("vgg_like", embedding_size=8)
    assert cola.replace(encoder=encoder).fingerprint == ""
    assert cola.replace(encoder=encoder).with_hop(100).fingerprint == ""
    unknown = Model(cola.config, cola.encoder)
    assert unknown.reinitialised(0).fingerprint == unknown.with_hop(3).fingerprint == ""


def test_the_head_goes_with_its_encoder(cola: Model) -> None:
    with_head = Model(cola.config, cola.encoder, torch.nn.Identity())
    assert with_head.with_hop(100).head is with_head.head
    assert with_head.reinitialised(0).head is None


def test_precision_is_kept_and_is_part_of_the_fingerprint(cola: Model) -> None:
    coarse = cola.replace(precision=torch.bfloat16)
    assert coarse.fingerprint == "f-bfloat16" and coarse.with_hop(100).precision == torch.bfloat16
    assert coarse.reinitialised(1).precision == torch.bfloat16
    assert np.abs(vectors(coarse) - vectors(cola)).max() > 0
