"""The pictures of docs/scenes.md."""

from pathlib import Path

from PIL import Image

from studies import _page, scene_images


def test_the_pictures_that_the_docs_show_are_drawn(tmp_path: Path) -> None:
    scene_images.main(tmp_path)
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {"scene.png", "scene_classes.png"}
    for name in drawn:
        with Image.open(tmp_path / name) as new, Image.open(_page.IMAGES / name) as kept:
            assert new.size == kept.size
        assert f"(images/{name})" in (_page.REPOSITORY / "docs" / "scenes.md").read_text()
