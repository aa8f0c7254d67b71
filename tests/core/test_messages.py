"""Notices are shown plainly on standard error, unless the program arranges its own logging."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundviews.core import messages
from soundviews.core.messages import _Plain, say, shown


def as_in_a_fresh_process(monkeypatch: pytest.MonkeyPatch, root_handlers: list[logging.Handler]) -> None:
    """Called by the test itself: pytest adds handlers of its own after the fixtures."""
    monkeypatch.setattr(logging.getLogger(), "handlers", root_handlers)
    monkeypatch.setattr(messages.logger, "handlers", [])
    monkeypatch.setattr(messages.logger, "level", logging.NOTSET)
    messages.logger.manager._clear_cache()


@pytest.fixture(autouse=True)
def levels_looked_up_anew() -> Iterator[None]:
    yield
    messages.logger.manager._clear_cache()


def test_a_notice_is_a_plain_line_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    as_in_a_fresh_process(monkeypatch, [])
    messages.show_messages()
    messages.show_messages()
    logging.getLogger("soundviews.pretraining.run").info("%d steps", 3)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "3 steps\n")


def test_a_program_with_logging_of_its_own_keeps_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    as_in_a_fresh_process(monkeypatch, [handler])
    messages.show_messages()
    logging.getLogger("soundviews").warning("careful")
    assert [record.getMessage() for record in records] == ["careful"] and capsys.readouterr().err == ""
    assert messages.logger.handlers == [] and messages.logger.level == logging.NOTSET


def test_a_name_is_shown_in_one_line_and_obeyed_by_no_terminal() -> None:
    assert shown("a\x1b]0;title\x07b\r\nc\x9b31m") == r"a\x1b]0;title\x07b\r\nc\x9b31m"
    assert shown("\u202egpj.\u2066exe\u2028\ufeff\udcff") == r"\u202egpj.\u2066exe\u2028\ufeff\udcff"
    for name in ("C:\\a b\\naïve 日本.wav", "a\xa0b\u3000c", "👩\u200d🚀", "می\u200cخواهم"):
        assert shown(name) == name
    assert shown("one\ntwo\x1b", lines=True) == "one\ntwo\\x1b"


def test_a_notice_keeps_its_lines_but_not_those_of_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    handler = _Plain()
    record = logging.LogRecord("soundviews", logging.INFO, "", 0, "%d left out:\n%s", (2, Path("a\nb\x1b[2K")), None)
    handler.emit(record)
    assert capsys.readouterr().err == "2 left out:\na\\nb\\x1b[2K\n"
    assert record.args == (2, Path("a\nb\x1b[2K"))  # other handlers are given what was said


def test_what_is_said_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("out: a\nb")
    say("err: \x1b", err=True)
    assert capsys.readouterr() == ("out: a\\nb\n", "err: \\x1b\n")
