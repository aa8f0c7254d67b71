"""Seeded splits: shares, no group in two, stable when clips go missing or change places."""

from collections import Counter

import pytest

from soundviews.datasets.splits import divide

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
SPEAKERS = [f"speaker{i % 100}" for i in range(1000)]


def test_shares_and_whole_groups():
    split = divide(SPEAKERS, SHARES, 0)
    assert Counter(split) == {"train": 700, "validation": 100, "test": 200}
    assert len(set(zip(SPEAKERS, split, strict=True))) == 100, "a speaker is in two splits"


def test_seeds_differ_and_order_and_missing_clips_do_not_matter():
    split = dict(zip(SPEAKERS, divide(SPEAKERS, SHARES, 0), strict=True))
    assert dict(zip(SPEAKERS, divide(SPEAKERS, SHARES, 1), strict=True)) != split
    assert dict(zip(SPEAKERS[::-1], divide(SPEAKERS[::-1], SHARES, 0), strict=True)) == split
    fewer = sorted(set(SPEAKERS))[1:]
    moved = [speaker for speaker, name in zip(fewer, divide(fewer, SHARES, 0), strict=True) if name != split[speaker]]
    assert len(moved) <= 2


def test_each_class_is_divided_by_itself():
    paths, classes = [f"{i}.wav" for i in range(110)], ["rare"] * 10 + ["common"] * 100
    split = divide(paths, {"train": 0.8, "test": 0.2}, 0, within=classes)
    assert Counter(zip(classes, split, strict=True)) == {
        ("rare", "train"): 8,
        ("rare", "test"): 2,
        ("common", "train"): 80,
        ("common", "test"): 20,
    }


@pytest.mark.parametrize("groups", range(3, 30))
def test_no_split_is_empty_where_there_are_enough_groups(groups):
    counts = Counter(divide([str(i) for i in range(groups)], SHARES, 0))
    assert set(counts) == set(SHARES) and sum(counts.values()) == groups
    assert all(abs(counts[name] - share * groups) <= 1.5 for name, share in SHARES.items())


def test_fewer_groups_than_splits():
    assert divide(["a", "a"], SHARES, 0) == ["train", "train"] and divide([], SHARES, 0) == []
