import pytest

from lazulite_worker.model_path import model_path


def lay_out(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return str(root)


def test_latest_version_is_the_highest_number(tmp_path):
    root = lay_out(tmp_path, "m/2/a.pkl", "m/10/b.pkl", "m/notes/c")

    assert model_path("m", None, root) == f"{root}/m/10/b.pkl"


def test_version_asked_for_is_taken(tmp_path):
    root = lay_out(tmp_path, "m/2/a.pkl", "m/10/b.pkl")

    assert model_path("m", 2, root) == f"{root}/m/2/a.pkl"


def test_folder_of_the_only_model_may_be_the_root_itself(tmp_path):
    root = lay_out(tmp_path, "m/4/saved/model.pb")

    assert model_path("m", None, f"{root}/m/4") == f"{root}/m/4/saved"


def test_version_with_several_files_is_their_folder(tmp_path):
    root = lay_out(tmp_path, "m/1/a", "m/1/b")

    assert model_path("m", 1, root) == f"{root}/m/1"


def test_file_of_that_name_is_a_model_too(tmp_path):
    root = lay_out(tmp_path, "model.pkl")

    assert model_path("model.pkl", None, root) == f"{root}/model.pkl"


def test_missing_model_says_where_it_was_looked_for(tmp_path):
    root = lay_out(tmp_path, "m/1/a")

    with pytest.raises(FileNotFoundError, match=r"'other' \(version latest\).*holds m\."):
        model_path("other", None, root)


def test_missing_version_is_not_another_one(tmp_path):
    root = lay_out(tmp_path, "m/1/a", "m/2/a")

    assert model_path("m", 1, f"{root}") == f"{root}/m/1/a"
    with pytest.raises(TypeError, match="int"):
        model_path("m", "1", root)
