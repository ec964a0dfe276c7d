"""Paths as a client sends them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mediactl.requests import list_paths
from mediad.errors import InvalidArgument


def test_the_folder_of_a_path_is_sent_without_links(tmp_path: Path) -> None:
    real = Path(os.path.realpath(tmp_path))
    (real / "music").mkdir()
    (real / "link").symlink_to("music")
    (real / "music" / "song.mp3").symlink_to("nowhere")
    asked = [real / "link" / "song.mp3", os.fsencode(real / "link"), f"{real}/music/../link/song.mp3"]
    song, link = os.fsencode(real / "music" / "song.mp3"), os.fsencode(real / "link")
    assert list_paths(asked) == [song, link, song]


def test_an_empty_path_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        list_paths([b"/tmp", ""])
