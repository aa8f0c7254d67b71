"""What a later version has made is told from what an older one has."""

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.core.extras import MissingExtra
from soundviews.core.newer import naming_newer, newer_version


@pytest.mark.parametrize(
    ("made_by", "version"),
    [
        ("soundviews 2.10.0", "2.10.0"),
        ("3.0", "3.0"),
        ("soundviews 2.9.12 convert uclser20", "2.9.12"),
        ("soundviews 2.12.0rc1", "2.12.0"),
        ("soundviews 2.9.5", None),
        ("soundviews 2.9", None),
        ("soundviews 0.1.0", None),
        ("", None),
        ("somebody 99.0", None),
        (None, None),
        (7, None),
    ],
)
def test_versions_are_compared_as_numbers(
    made_by: object, version: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundviews.core.newer.__version__", "2.9.5")
    assert newer_version(made_by) == version


def test_an_error_names_the_later_version_and_keeps_its_reason() -> None:
    expected = r"^runs/x was made by a newer soundviews \(99\.0\).*upgrade.*\(broken\)$"
    with pytest.raises(SoundviewsError, match=expected), naming_newer("soundviews 99.0", "runs/x"):
        raise SoundviewsError("broken")
    with pytest.raises(SoundviewsError, match=r"^broken$"), naming_newer("soundviews 0.0.1", "runs/x"):
        raise SoundviewsError("broken")
    with pytest.raises(MissingExtra, match=r"^timm$"), naming_newer("soundviews 99.0", "runs/x"):
        raise MissingExtra("timm")
