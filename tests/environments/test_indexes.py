"""pip's configuration, said again for uv."""

from __future__ import annotations

import pytest

from lazulite.environments.indexes import installer_environment, read_pip_settings, uv_flags


def test_the_files_of_pip_are_read_in_its_order(tmp_path):
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip/pip.conf").write_text(
        "[global]\nindex-url = https://old/simple\nextra-index-url =\n  https://a/simple\n"
        "  https://b/simple\n"
    )
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("[install]\nindex_url = https://new/simple\n")

    settings = read_pip_settings({"HOME": str(tmp_path), "PIP_FIND_LINKS": "/opt/wheels"})

    assert settings["index-url"] == "https://new/simple"
    assert settings["extra-index-url"].split() == ["https://a/simple", "https://b/simple"]
    assert settings["find-links"] == "/opt/wheels"


def test_variables_win_over_files(tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://file/simple\n")
    environ = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_INDEX_URL": "https://me/simple"}

    assert read_pip_settings(environ)["index-url"] == "https://me/simple"


def test_dev_null_switches_the_files_off(tmp_path):
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip/pip.conf").write_text("[global]\nindex-url = https://x/simple\n")

    assert read_pip_settings({"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}) == {}


def test_a_broken_file_is_skipped(tmp_path):
    (tmp_path / "pip.conf").write_text("index-url = no section\n")

    assert "index-url" not in read_pip_settings({"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")})


def test_uv_gets_the_settings_of_pip():
    settings = {
        "index-url": "https://mirror/simple",
        "extra-index-url": "https://a/simple\nhttps://b/simple",
        "find-links": "/opt/wheels /opt/more",
        "trusted-host": "mirror",
        "cert": "/etc/ca.pem",
    }

    env = installer_environment({}, settings)

    assert env["UV_DEFAULT_INDEX"] == "https://mirror/simple"
    assert env["UV_INDEX"] == "https://a/simple https://b/simple"
    assert env["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert env["UV_FIND_LINKS"] == "/opt/wheels,/opt/more"
    assert env["UV_INSECURE_HOST"] == "mirror"
    assert env["SSL_CERT_FILE"] == "/etc/ca.pem"


@pytest.mark.parametrize(
    ("name", "translated"),
    [("UV_DEFAULT_INDEX", "UV_DEFAULT_INDEX"), ("UV_INDEX_URL", "UV_DEFAULT_INDEX")],
)
def test_uvs_own_settings_win(name, translated):
    env = installer_environment({name: "https://own/simple"}, {"index-url": "https://pip/simple"})

    assert env[name] == "https://own/simple"
    assert env.get(translated) != "https://pip/simple"


def test_no_index_is_a_flag_because_uv_has_no_variable_for_it():
    assert uv_flags({}, {"no-index": "1"}) == ("--no-index",)
    assert uv_flags({}, {"no-index": "no"}) == ()
    assert uv_flags({"UV_DEFAULT_INDEX": "https://own/simple"}, {"no-index": "1"}) == ()


def test_build_scripts_do_not_see_the_servers_secrets_or_its_packages():
    environ = {
        "PATH": "/bin",
        "LAZULITE_ADMIN_SECRET": "s",
        "AWS_SECRET_ACCESS_KEY": "s",
        "PYTHONPATH": "/srv",
        "VIRTUAL_ENV": "/srv/.venv",
        "PIP_TARGET": "/srv",
        "HTTPS_PROXY": "http://proxy",
        "no_proxy": "localhost",
    }

    env = installer_environment(environ, {})

    kept = {name for name in environ if name in env}
    assert kept == {"PATH", "HTTPS_PROXY", "no_proxy"}
