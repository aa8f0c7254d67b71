"""Notices are shown plainly on standard error, unless the program arranges its own logging."""

import logging
from collections.abc import Iterator

import pytest

from soundviews.core import messages


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
