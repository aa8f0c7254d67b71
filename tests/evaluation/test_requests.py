"""What judges, written in every way a person may write it."""

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.requests import needs_labels, read_requests

COLA = [("linear", {"style": "cola", "epochs": 50})]


@pytest.mark.parametrize(
    "written",
    [
        "linear:style=cola,epochs=50",
        ["linear:style=cola,epochs=50"],
        ("linear", {"style": "cola", "epochs": 50}),
        [("linear", {"style": "cola", "epochs": 50})],
        {"linear": {"style": "cola", "epochs": 50}},
        ["linear:style=cola,epochs=50", ("linear", {"style": "cola", "epochs": 50})],  # judged once
    ],
)
def test_one_request_in_every_way(written):
    assert read_requests(written) == COLA


def test_several_in_their_order():
    assert read_requests(("qbe", "knn")) == [("qbe", {}), ("knn", {})]
    assert read_requests({"qbe": None, "knn": {"k": 3}}) == [("qbe", {}), ("knn", {"k": 3})]
    assert read_requests("finetune:lr=1e-3,precision=bf16") == [("finetune", {"lr": 0.001, "precision": "bf16"})]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("qbee", "did you mean 'qbe'"),
        ("knn:k", "name=value"),
        (("knn", {"k": 2.5}), "k must be a whole number above 0, not 2.5"),
        ({"linear": {"styl": "cola"}}, "has no option 'styl': did you mean 'style'"),
        ("qbe:pool=loud", "pool must be one of auto, mean, loudness, max, mean\\+max\\+std, not 'loud'"),
        ("linear:epochs=0", "epochs must be a whole number above 0"),
        ([], "name a protocol"),
    ],
)
def test_wrong_requests_say_what_is_wrong(written, message):
    with pytest.raises(SoundviewsError, match=message):
        read_requests(written)


def test_invariance_alone_needs_no_labels():
    assert not needs_labels(read_requests("invariance")) and needs_labels(read_requests(["invariance", "qbe"]))


def test_a_value_that_is_no_yaml_is_an_error_of_one_line() -> None:
    with pytest.raises(SoundviewsError, match="value of k is no YAML") as error:
        read_requests("knn:k=[")
    assert str(error.value).isprintable()
