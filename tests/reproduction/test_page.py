"""Every table of a paper loads, names recipes and protocols that there are, and counts its trainings once."""

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.requests import read_requests
from soundviews.recipes.reading import list_recipes
from soundviews.reproduction.page import Table, list_tables, load_table
from soundviews.reproduction.trainings import distinct_trainings, processors_of_page, recipe_hash, row_page

TABLES = list_tables()


@pytest.mark.parametrize("name", TABLES)
def test_every_page_names_what_there_is(name):
    table, recipes = load_table(name), list_recipes()
    assert table.name == name
    assert "Table" in table.source or name == "uclser/encoders" or "poster" in table.source
    for row in table.rows:
        assert row.recipe is None or row.recipe in recipes
        for protocol in row.protocols.values():
            read_requests(protocol)
    for column in table.columns.values():
        read_requests(column.protocol)
    assert {table.separator, table.stand_in_separator} <= set(recipes)


def test_the_tables_are_those_of_the_four_papers():
    assert {name.split("/")[0] for name in TABLES} == {"acl", "cola", "ssep", "uclser"}
    assert [name for name in TABLES if name.startswith("ssep")] == [f"ssep/table{number}" for number in range(1, 6)]


def test_five_of_the_rows_of_ssep_are_trained_already():
    tables = [load_table(name) for name in TABLES if name.startswith("ssep")]
    assert distinct_trainings(tables) == (29, 24)


def test_the_hash_is_of_what_a_recipe_does():
    row = load_table("ssep/table2").rows[2]
    plain = recipe_hash(row_page(row))
    assert recipe_hash(row_page(row, {"training.seed": 7})) == plain
    assert recipe_hash(row_page(row, {"training.batch_size": 32})) != plain


def test_rows_that_separate_are_told_from_those_that_do_not():
    mix, _, channel, *_ = load_table("ssep/table2").rows
    assert processors_of_page(row_page(mix)) == [] and processors_of_page(row_page(channel)) == ["S2"]


def test_a_table_that_cannot_be_says_why(tiny_table, tmp_path):
    with pytest.raises(SoundviewsError, match="did you mean 'ssep/table2'"):
        load_table("ssep/tabel2")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(tiny_table.read_text().replace("qbe: {about", "query: {about"))
    with pytest.raises(SoundviewsError, match="needs the data qbe"):
        load_table(wrong)
    wrong.write_text(tiny_table.read_text().replace("reason: needs video", "reason: needs video\n    model: logmel"))
    with pytest.raises(SoundviewsError, match="one of recipe, model and reason"):
        load_table(wrong)


def test_what_a_table_cannot_do_without(tiny_table):
    table: Table = load_table(tiny_table)
    assert table.roles == {"pretraining", "qbe"} and table.roles_of(table.rows[2]) == set()
