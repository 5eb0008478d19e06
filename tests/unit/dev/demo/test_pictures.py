import io

import pytest
from PIL import Image

from genpool_dev.demo.pictures import asking_user, file_name, picture_fault


def encoded(form: str, size: tuple[int, int] = (16, 24)) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 50).convert("RGB").save(buffer, form)
    return buffer.getvalue()


def test_a_png_of_the_asked_size_is_right() -> None:
    assert picture_fault(encoded("PNG"), (16, 24)) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (encoded("PNG", (24, 16)), "is 24x16, not 16x24"),
        (encoded("JPEG"), "is JPEG, not PNG"),
        (encoded("PNG")[:-200], "cannot be decoded"),
        (b"<html>", "cannot be decoded"),
        (b"", "cannot be decoded"),
    ],
)
def test_anything_else_is_told(content: bytes, told: str) -> None:
    assert told in picture_fault(content, (16, 24))


@pytest.mark.parametrize(
    ("label", "key", "expected"),
    [
        ("a fox in a forest", "tasks/k/runs/1/a1-n/0.png", "03-a-fox-in-a-forest.png"),
        ("people-1", "x/y.png", "03-people-1.png"),
        ("../../etc/passwd", "x/y.png", "03-..-..-etc-passwd.png"),
        ("人物", "x/y", "03-task.bin"),
    ],
)
def test_file_names_are_plain(label: str, key: str, expected: str) -> None:
    assert file_name(3, label, key) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SUDO_UID": "1000", "SUDO_GID": "100"}, (1000, 100)),
        ({}, None),
        ({"SUDO_UID": "", "SUDO_GID": ""}, None),
    ],
)
def test_pictures_belong_to_who_asked(environment: dict[str, str], expected: tuple[int, int] | None) -> None:
    assert asking_user(environment) == expected
