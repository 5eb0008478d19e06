import io

import pytest
from PIL import Image

from genpool_dev.stack.servers import drawing


@pytest.mark.parametrize("kind", ["people", "buildings"])
@pytest.mark.parametrize(("form", "name"), [("png", "PNG"), ("jpeg", "JPEG")])
def test_photos_are_gray_and_of_the_size_that_is_told(
    kind: drawing.Kind, form: drawing.Format, name: str
) -> None:
    for number in range(5):
        with Image.open(io.BytesIO(drawing.photo(number, kind, form))) as image:
            image.load()
            assert (image.format, image.mode, image.size) == (name, "L", drawing.size_of(number))


def test_the_same_number_is_the_same_photo_and_another_another() -> None:
    photos = {drawing.photo(number, kind, "png") for number in range(8) for kind in ("people", "buildings")}
    assert len(photos) == 16
    assert drawing.photo(3, "people", "png") == drawing.photo(3, "people", "png")
