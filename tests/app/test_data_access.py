"""Settings of what may be reached are checked before anything is started."""

import re

import pytest

from lazulite.app.foundation import lay_foundation
from lazulite.app.layout import Layout
from lazulite.core.settings import SettingError, read_settings


@pytest.mark.parametrize(
    "given",
    [
        {"url_aliases": "bad"},
        {"fetch_allow": "a/b"},
        {"fetch_allow": "10.0.0.0/99"},
        *({"blobs": url} for url in ("s3:bucket", "ftp://host/x", "b", "s3://b/?x=y", "file:///x")),
    ],
)
async def test_a_setting_that_cannot_be_used_starts_nothing(tmp_path, given):
    settings = read_settings({}, data_dir=tmp_path / "data", **given)
    layout = Layout(settings.data_dir, tmp_path / "run")
    layout.make()
    (value,) = given.values()
    with pytest.raises(SettingError, match=re.escape(value)):
        await lay_foundation(settings, layout, {})
    assert list(settings.data_dir.iterdir()) == []
