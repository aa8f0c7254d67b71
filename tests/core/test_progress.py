import subprocess
import sys

import pytest

from soundviews.core import progress
from soundviews.core.progress import Advance, bar


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_nothing_is_printed_when_not_wanted_or_soon_over(capsys):
    for shown in (False, True):
        with bar("separating", 3, "clips", shown) as advance:
            advance(3)
    assert capsys.readouterr() == ("", "")


def test_a_log_file_gets_a_line_every_half_a_minute_and_one_at_the_end(clock, capsys):
    with bar("training", 100, "steps") as advance:
        for _ in range(100):
            clock.now += 1
            advance(1, note="loss 0.310")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "training: 30/100 steps, 1.0 steps/s, loss 0.310, 0:01:10 left",
        "training: 60/100 steps, 1.0 steps/s, loss 0.310, 0:00:40 left",
        "training: 90/100 steps, 1.0 steps/s, loss 0.310, 0:00:10 left",
        "training: 100/100 steps, 1.0 steps/s, loss 0.310, in 0:01:40",
    ]


def test_recordings_show_hours_and_a_multiple_of_real_time(clock):
    advance = Advance(3, "recordings", lambda: None, 1.0)
    clock.now += 10
    advance.reach(1.5, audio_seconds=7200.0)
    assert advance.counts() == "1/3 recordings"
    assert advance.rate() == "2.00 h, 720x real time"
    assert advance.remaining() == "0:00:10 left"


def test_what_was_done_before_says_nothing_of_the_rate(clock):
    advance = Advance(100, "clips", lambda: None, 1.0)
    advance.skip(50)
    clock.now += 10
    advance(10)
    assert (advance.counts(), advance.rate(), advance.remaining()) == (
        "60/100 clips",
        "1.0 clips/s",
        "0:00:40 left",
    )


def test_where_audio_takes_the_time_it_says_how_much_is_left(clock):
    """The third of a hundred recordings is eight hours long, the others ten seconds."""
    advance = Advance(100, "recordings", lambda: None, 1.0, audio_total=28800.0 + 99 * 10)
    clock.now += 10
    advance.reach(2, audio_seconds=20.0)
    assert advance.remaining() == "4:08:05 left"
    clock.now += 10
    advance.reach(2.5, audio_seconds=14420.0)
    assert (advance.rate(), advance.remaining()) == ("4.01/8.28 h, 721x real time", "0:00:21 left")


def test_audio_that_was_done_before_says_nothing_of_the_rate(clock):
    advance = Advance(4, "recordings", lambda: None, 1.0, audio_total=400.0)
    advance.skip(1, 300.0)
    clock.now += 10
    advance.reach(2, audio_seconds=350.0)
    assert (advance.rate(), advance.remaining()) == ("0.10/0.11 h, 5x real time", "0:00:10 left")


def test_bytes_of_a_total_learnt_on_the_way(clock):
    advance = Advance(None, "bytes", lambda: None, 1.0)
    clock.now += 2
    advance.reach(3_000_000)
    assert (advance.counts(), advance.rate(), advance.remaining()) == ("3.0 MB", "1.5 MB/s", "")
    advance.reach(3_000_000, total=12_000_000)
    assert (advance.counts(), advance.remaining()) == ("3.0/12.0 MB", "0:00:06 left")


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with bar("embedding [big]", 2, "clips") as advance:
        advance(2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "embedding [big]" in err and "2/2 clips" in err


def test_rich_is_imported_only_to_draw():
    code = (
        "import sys\nfrom soundviews.core.progress import bar\n"
        "with bar('a', 1, 'clips') as advance:\n    advance(1)\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
