"""`new-kernel`, in a real container: any uid, read-only root, an index on loopback or none."""

from __future__ import annotations

import json

import pytest

INDEX = """
import pathlib, zipfile

def wheel(name, version, *requires, module=None, text="ANSWER = 42"):
    folder = pathlib.Path("/tmp/index") / name
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info/"
    wishes = "".join(f"Requires-Dist: {wish}\\n" for wish in requires)
    metadata = f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n{wishes}"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{module or name}.py", text)
        file.writestr(info + "METADATA", metadata)
        tags = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        file.writestr(info + "WHEEL", tags)
        file.writestr(info + "RECORD", "")

wheel("berthtoy", "1.0", "numpy")
wheel("oldidna", "1.0", "idna<3")
wheel("idna", "2.0", text="__version__ = '2.0'")
wheel("ipykernel", "9.0")
wheel("pip", "99.0")
wheel("dependent", "1.0", "nowhere-to-be-found")
"""
ONLINE = "export PIP_INDEX_URL=http://127.0.0.1:8099 UV_DEFAULT_INDEX=http://127.0.0.1:8099; "
ENVIRONMENTS = "/home/zora/.local/share/tinyberth/environments"

ASK_A_KERNEL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name={name!r})
client.execute_interactive({code!r})
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


@pytest.fixture(scope="module")
def home(start):
    """Return a container with a small package index on its own loopback."""
    container = start()
    container.python(INDEX)
    container.shell(
        "setsid python -I -m http.server --bind 127.0.0.1 --directory /tmp/index 8099 "
        "> /tmp/index.log 2>&1 < /dev/null & "
        "curl --silent --retry 50 --retry-delay 1 --retry-connrefused -o /dev/null localhost:8099"
    )
    return container


def in_kernel(container, name, code):
    return container.python(ASK_A_KERNEL.format(name=name, code=code))


def kernels(container):
    answer = container.shell("jupyter kernelspec list --json 2> /dev/null")
    return set(json.loads(answer)["kernelspecs"])


def left_behind(container, name):
    """Return what there is of a kernel: nothing, where it was not made."""
    paths = f"{ENVIRONMENTS}/{name} /home/zora/.local/share/jupyter/kernels/{name}"
    return container.shell(f"ls -d {paths} 2> /dev/null || true").split()


def test_a_kernel_on_top_of_the_image_has_its_packages_and_its_own(home):
    said = home.shell(ONLINE + "new-kernel toy berthtoy")
    assert said.splitlines()[-1] == (
        "Kernel toy is ready: the image's packages, 1 of its own, asked for berthtoy"
    )
    assert "toy" in kernels(home)
    code = "import berthtoy, numpy, tinybert, sys; print(berthtoy.__file__, numpy.__file__)"
    own, images = in_kernel(home, "toy", code).split()
    assert own.startswith(f"{ENVIRONMENTS}/toy/lib")
    assert images.startswith("/opt/venv/lib")


def test_tensorflow_works_in_it(home):
    code = "import tensorflow as tf; print(tf.reduce_sum(tf.ones((2, 3))).numpy())"
    assert in_kernel(home, "toy", code).endswith("6.0\n")


def test_another_version_than_the_images_is_its_own_and_the_images_stays(home):
    home.shell(ONLINE + "new-kernel toy oldidna")
    assert in_kernel(home, "toy", "import idna; print(idna.__version__)") == "2.0\n"
    assert not home.python("import idna; print(idna.__version__)").startswith("2.0")
    assert "asked for berthtoy oldidna" in home.shell("new-kernel --list")


def test_cells_install_into_it(home):
    code = "import sys; print(sys.prefix)\n!command -v python\n!echo $VIRTUAL_ENV"
    where = in_kernel(home, "toy", code).split()
    assert where == [
        f"{ENVIRONMENTS}/toy",
        f"{ENVIRONMENTS}/toy/bin/python",
        f"{ENVIRONMENTS}/toy",
    ]


def test_a_bare_one_sees_nothing_of_the_image(home):
    said = home.shell(ONLINE + "new-kernel --bare alone berthtoy", check=False)
    # numpy is not in this index: what is asked for must come from there, all of it
    assert "could not be installed" in said
    assert left_behind(home, "alone") == []
    home.shell(ONLINE + "new-kernel --bare alone oldidna")
    python = f"{ENVIRONMENTS}/alone/bin/python"
    assert home.shell(f"{python} -c 'import idna; print(idna.__version__)'") == "2.0\n"
    assert "ModuleNotFoundError" in home.run(python, "-c", "import numpy", check=False)


def test_an_environment_that_a_killed_run_left_is_made_anew(home):
    home.shell(f"mkdir -p {ENVIRONMENTS}/again/bin && touch {ENVIRONMENTS}/again/bin/python")
    home.shell(ONLINE + "new-kernel again berthtoy")
    assert in_kernel(home, "again", "import berthtoy; print(berthtoy.ANSWER)") == "42\n"


def test_removing_takes_all_of_it_and_nothing_else(home):
    before = kernels(home)
    assert home.shell("new-kernel --remove again") == "Removed again.\n"
    assert left_behind(home, "again") == []
    assert kernels(home) == before - {"again"}
    assert "you have no kernel again" in home.run("new-kernel", "--remove", "again", check=False)


def test_offline_is_one_line_and_leaves_nothing(start):
    home = start()
    for form in ("", "--bare"):
        said = home.shell(f"new-kernel {form} audio librosa 2>&1 > /dev/null || true")
        assert said.count("\n") == 1, said
        assert "no package index can be reached from here. Nothing was changed." in said
        assert left_behind(home, "audio") == []
    # without a package there is nothing to fetch
    assert "Kernel plain is ready" in home.shell("new-kernel plain")
    assert in_kernel(home, "plain", "import pandas; print(1)") == "1\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("python3", "is the image's own kernel"),
        ("../x", "cannot be a kernel's name"),
        ("Audio", "cannot be a kernel's name"),
        ("''", "cannot be a kernel's name"),
        ("", "say a name"),
        ("foreign", "that new-kernel did not make"),
        ("--remove foreign", "that new-kernel did not make"),
        ("toy", "Name packages to add to it"),
        ("--bare toy berthtoy", "on top of the image's packages"),
        ("fresh dependent", "could not be installed. Nothing was changed."),
        ("fresh nowhere-to-be-found", "could not be installed. Nothing was changed."),
        ("fresh -- --target=/tmp/x", "packages alone, no options"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(home, arguments, sentence):
    spec = "/home/zora/.local/share/jupyter/kernels/foreign/kernel.json"
    home.shell(f'mkdir -p $(dirname {spec}) && echo \'{{"argv": ["x"]}}\' > {spec}')
    before = kernels(home)
    said = home.shell(f"{ONLINE} new-kernel {arguments} 2>&1 > /dev/null || true")
    assert sentence in said
    assert said.startswith("new-kernel: ")
    assert said.count("\n") == 1
    assert kernels(home) == before
    assert left_behind(home, "fresh") == []
    assert home.run("cat", spec) == '{"argv": ["x"]}\n'
