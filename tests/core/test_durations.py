import pytest

from soundviews.core.durations import said_bytes, said_duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (1.2, "1 second"),
        (41.4, "41 seconds"),
        (90, "90 seconds"),
        (119, "2 minutes"),
        (27.4 * 60, "27 minutes"),
        (100 * 60, "100 minutes"),
        (3.5 * 3600, "3.5 hours"),
        (7200, "2 hours"),
        (30 * 3600, "30 hours"),
        (497314, "5.8 days"),
        (2075 * 3600, "86 days"),
    ],
)
def test_durations_are_said_in_the_unit_that_people_take(seconds: float, said: str) -> None:
    assert said_duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0.0 kB"), (1000, "1.0 kB"), (40e6, "40.0 MB"), (999e6, "999.0 MB"), (1.3e9, "1.3 GB"), (2e12, "2,000.0 GB")],
)
def test_sizes_are_said_in_a_unit_that_is_not_0(count: float, said: str) -> None:
    assert said_bytes(count) == said
