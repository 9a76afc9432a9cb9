"""`kerasir batch`: one file that fails stops no other, and nothing half is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest
from chains import write_chain
from html_pages import checked

from genuine import PROJECT
from kerasir.batch import Batch, Job, attempt, jobs_of, read_report
from kerasir.cli.batch_lines import _names
from kerasir.errors import FormatError, UsageError
from kerasir.pages.index import index_page

GOOD = ("vgg_th", "even_same_th", "siamese_th")


@pytest.fixture
def zoo(genuine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three models, a text file and a model with a Lambda."""
    folder = tmp_path / "zoo"
    folder.mkdir()
    for name in (*GOOD, "lambda_layer_th"):
        shutil.copy(genuine(f"keras2.2.4-theano/{name}").model, folder / f"{name}.h5")
    (folder / "page.h5").write_text("<!doctype html><p>404")
    monkeypatch.chdir(tmp_path)
    return folder


def test_all_but_the_one_that_fails(kerasir, zoo: Path, tmp_path: Path) -> None:
    code, out, _ = kerasir("batch", "zoo", "--out-dir", "new", "--jobs", "2", "--verify", "-q")
    assert (code, out) == (1, "")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "even_same_th.keras", "report.html", "report.json", "siamese_th.keras", "vgg_th.keras",
    ]  # fmt: skip
    report = read_report("new/report.json")
    failed = {one.src: one.error for one in report.files if not one.ok}
    assert set(failed) == {"zoo/lambda_layer_th.h5", "zoo/page.h5"}
    page = failed["zoo/page.h5"]
    assert page is not None
    assert "a web page (HTML), not a model" in page.what
    assert all(one.verified for one in report.files if one.ok)


def test_lines_in_a_pipe(kerasir, zoo: Path) -> None:
    err = kerasir("batch", "zoo", "--out-dir", "new").err
    lines = err.splitlines()
    assert lines[-1] == "4 converted, 1 with warnings, 1 failed"
    assert sorted(line.split()[0] for line in lines[:-1]) == ["FAIL", "ok", "ok", "ok", "warn"]
    assert any(line.startswith("FAIL zoo/page.h5: file: a web page") for line in lines)
    assert any(line.startswith("ok zoo/vgg_th.h5 -> new/vgg_th.keras (") for line in lines)


def test_what_is_up_to_date_is_left_alone(kerasir, zoo: Path) -> None:
    (zoo / "page.h5").unlink()
    assert kerasir("batch", "zoo", "--out-dir", "new").code == 0
    times = {path: path.stat().st_mtime_ns for path in Path("new").glob("*.keras")}
    shutil.copy(zoo / "vgg_th.h5", zoo / "siamese_th.h5")
    code, _, err = kerasir("batch", "zoo", "--out-dir", "new", "--overwrite")
    assert code == 0
    assert "4 converted" in err  # other options: everything is done anew
    code, _, err = kerasir("batch", "zoo", "--out-dir", "new", "--overwrite")
    assert (code, err.splitlines()[-1]) == (
        0, "0 converted, 0 with warnings, 0 failed, 4 up to date",
    )  # fmt: skip
    assert all(path.stat().st_mtime_ns > then for path, then in times.items())
    assert kerasir("batch", "zoo", "--out-dir", "new", "--to", "onnx").code == 1


def test_what_failed_again(kerasir, zoo: Path, genuine) -> None:
    assert kerasir("batch", "zoo", "--out-dir", "new", "-q").code == 1
    shutil.copy(genuine("keras2.2.4-theano/vgg_th").model, zoo / "page.h5")
    code, _, err = kerasir("batch", "--retry", "new/report.json")
    assert (code, err.splitlines()[-1]) == (0, "1 converted, 0 with warnings, 0 failed")
    code, _, err = kerasir("batch", "--retry", "new/report.json")
    assert (code, err) == (
        2,
        "kerasir: error: new/report.json: nothing failed in it (there is nothing to do)\n",
    )


def test_reports_and_their_index(kerasir, zoo: Path) -> None:
    code, out, _ = kerasir("batch", "zoo", "--out-dir", "new", "--reports", "--json", "-q")
    found = json.loads(out)
    assert (code, found["schema"], found["ok"]) == (1, "kerasir.batch/1", False)
    index = checked(Path("new/report.html").read_text(encoding="utf-8"))
    assert sorted(index.links) == [
        "even_same_th.html", "lambda_layer_th.html", "siamese_th.html", "vgg_th.html",
    ]  # fmt: skip
    assert "3 ✓ converted, 1 ! with warnings, 1 ✗ failed" in index.text
    for link in index.links:
        checked((Path("new") / link).read_text(encoding="utf-8"))


def test_plugins_reach_the_processes(kerasir, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_chain(Path("a.h5"), 2)
    broken = tmp_path / "broken.py"
    broken.write_text("raise ValueError('no')")
    kerasir("batch", "a.h5", "--out-dir", "new", "--plugin", broken, "-q")
    (one,) = read_report("new/report.json").files
    assert one.error is not None
    assert (one.error.file, one.error.what) == (str(broken), "ValueError: no")
    good = PROJECT / "examples" / "plugins" / "scale_shift.py"
    assert kerasir("batch", "a.h5", "--out-dir", "new", "--plugin", good).code == 0


def test_targets_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("a/model.h5", "b/model.h5", "b/other.keras", "b/read.me"):
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).touch()
    jobs = jobs_of(["a", "b", "a/model.h5"], "new", {"to": "onnx"})
    assert [(job.src, job.dst) for job in jobs] == [
        ("a/model.h5", "new/a/model.onnx"),
        ("b/model.h5", "new/b/model.onnx"),
        ("b/other.keras", "new/b/other.onnx"),
    ]
    Path("a/model.hdf5").touch()
    with pytest.raises(UsageError, match="would be one target"):
        jobs_of(["a", "b"], "new", {"to": "onnx"})
    Path("empty").mkdir()
    with pytest.raises(UsageError, match="no model among the sources"):
        jobs_of(["empty"], "new", {"to": "onnx"})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("batch", "a.h5"), "--out-dir is missing (kerasir batch --help)"),
        (("batch", "--out-dir", "new"), "SRC is missing (kerasir batch --help)"),
        (("batch", "--retry", "x.json"), "x.json: no report of a batch (report.json of one)"),
        (("batch", "a.h5", "--out-dir", "n", "--to", "zip"), None),
    ],
)
def test_wrong_usage(kerasir, tmp_path: Path, monkeypatch, args, message: str | None) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = kerasir(*args)
    assert (code in {1, 2}, out) == (True, "")
    assert message is None or err == f"kerasir: error: {message}\n"


def test_a_report_that_is_none(tmp_path: Path) -> None:
    for text in ("", "[]", "{" * 100_000, '{"version": 1}'):
        path = tmp_path / "report.json"
        path.write_text(text)
        with pytest.raises(FormatError, match="no report of a batch"):
            read_report(str(path))


def test_a_process_that_dies_is_a_failure(tmp_path: Path, monkeypatch) -> None:
    path = write_chain(tmp_path / "a.h5", 2)

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    monkeypatch.setattr("kerasir.batch.run._perform", die)
    outcome = attempt(Job(src=str(path), dst=str(tmp_path / "b.h5")))
    assert outcome.error is not None
    assert "crashed" in outcome.error.what


def test_on_a_cluster(kerasir, zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for Dask's client: what is asked of it, and what comes back."""
    asked: list[Any] = []

    class Client:
        def __init__(self, address: str, timeout: str) -> None:
            asked.append(address)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            asked.append("closed")

        def submit(self, function: Any, job: Job, *, pure: bool) -> Any:
            assert not pure
            if "page" in job.src:
                failed = SimpleNamespace(status="error", exception=lambda: OSError("gone"))
                return _Future(failed)
            return _Future(SimpleNamespace(status="finished", result=lambda: function(job)))

    class _Future:
        def __init__(self, state: Any) -> None:
            self.__dict__.update(vars(state))

    module = ModuleType("distributed")
    module.__dict__.update(Client=Client, as_completed=iter)
    monkeypatch.setitem(sys.modules, "distributed", module)
    code, _, err = kerasir("batch", "zoo", "--out-dir", "new", "--scheduler", "tcp://head:1")
    assert (code, asked) == (1, ["tcp://head:1", "closed"])
    assert "FAIL zoo/page.h5: the worker failed: gone" in err
    assert err.splitlines()[-1] == "4 converted, 1 with warnings, 1 failed"
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, _, err = kerasir("batch", "zoo", "--out-dir", "new", "--scheduler", "tcp://head:1")
    assert (code, err) == (
        2,
        "kerasir: error: --scheduler: Dask is not installed (pip install 'kerasir[cluster]')\n",
    )


def test_interrupted(tmp_path: Path) -> None:
    """Temporary files go, the report says how far it came."""
    for number in range(3):
        write_chain(tmp_path / f"m{number}.h5", 400)
    command = [sys.executable, "-m", "kerasir", "batch", ".", "--out-dir", "new", "--jobs", "1"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    assert process.stderr is not None
    while time.monotonic() < until and not list(tmp_path.glob("new/m*.keras")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    left = [path.name for path in (tmp_path / "new").iterdir()]
    assert "Traceback" not in err
    assert not [name for name in left if "tmp" in name or name.startswith(".")]
    if process.returncode == 130:
        assert err.splitlines()[-1] == "kerasir: interrupted"
        assert len(read_report(str(tmp_path / "new/report.json")).files) < 3
    else:  # it was done before the signal came
        assert process.returncode in {0, -signal.SIGINT}


def test_an_index_of_nothing() -> None:
    empty = Batch(version="1", folder="new", options={}, files=())
    document = {"version": empty.version, "folder": empty.folder, "files": []}
    assert "0 models" in checked(index_page(document)).text


def test_files_of_one_name_are_told_apart() -> None:
    assert _names(["zoo/a.h5", "zoo/b.h5"]) == {"zoo/a.h5": "a.h5", "zoo/b.h5": "b.h5"}
    assert _names(["zoo/a/m.h5", "zoo/b/m.h5"]) == {"zoo/a/m.h5": "a/m.h5", "zoo/b/m.h5": "b/m.h5"}
    long = "x" * 30 + "/" + "y" * 30 + ".h5"
    assert _names([long, "m.h5"])[long] == "y" * 30 + ".h5"
    assert len(_names([long, f"z/{'y' * 30}.h5"])[long]) == 40
    assert _names([]) == {}
