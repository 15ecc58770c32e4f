"""The image that people live in: who they are there, what works, what nobody can do."""

from __future__ import annotations

import json
import re

import pytest

from containers import UID, docker

SIZE_MAX = 1.65e9
"""Bytes. docs/image.md has what fills them; the goal is 1.4e9."""


def label_of(image: str, template: str) -> str:
    return docker("image", "inspect", "--format", template, image).stdout.strip()


# ---- what the image is -----------------------------------------------------------------------


def test_it_is_as_small_as_it_was_made(singleuser_image):
    size = int(label_of(singleuser_image, "{{.Size}}"))
    print(f"singleuser image: {size / 1e6:,.0f} MB")
    assert size < SIZE_MAX


def test_it_starts_isolated_as_nobody_without_an_entrypoint(singleuser_image):
    config = json.loads(label_of(singleuser_image, "{{json .Config}}"))
    assert config["User"] == "65534:65534"
    assert not config.get("Entrypoint")
    assert config["Cmd"] == ["/opt/venv/bin/python", "-I", "-m", "tinyberth_start"]


def test_its_history_and_settings_hold_no_secret_and_no_certificate(singleuser_image):
    history = docker("history", "--no-trunc", singleuser_image).stdout
    settings = label_of(singleuser_image, "{{json .Config}}")
    for text in (history, settings):
        assert not re.search(r"BEGIN CERTIFICATE|(?i:password|api_?key|_token)=", text)


def test_it_trusts_debians_certificates_and_not_the_build_hosts(zora):
    listed = zora.run("sh", "-c", "grep -c '^mozilla/' /etc/ca-certificates.conf")
    bundled = zora.run("grep", "-c", "BEGIN CERTIFICATE", "/etc/ssl/certs/ca-certificates.crt")
    assert listed == bundled


def test_no_file_carries_setuid_setgid_or_capabilities(singleuser_image):
    command = (
        "find / -xdev -type f -perm /6000; "
        "find / -xdev -type f -size +0 -exec "
        "/opt/venv/bin/python -IS -c 'import os, sys; "
        'print(*[p for p in sys.argv[1:] if "security.capability" in os.listxattr(p)], sep="")\''
        " {} +"
    )
    found = docker("run", "--rm", "--user", "0", singleuser_image, "sh", "-c", command).stdout
    assert found.split() == []


def test_nothing_outside_tmp_is_writable_for_everyone(singleuser_image):
    find = ("find", "/", "-xdev", "(", "-type", "f", "-o", "-type", "d", ")", "-perm", "-o+w")
    found = docker("run", "--rm", "--user", "0", singleuser_image, *find).stdout.split()
    assert set(found) <= {"/tmp", "/var/tmp", "/run/lock"}


def test_the_hub_and_the_image_have_the_same_jupyterhub(root, zora):
    pinned = {
        re.search(r"^jupyterhub==([\w.]+)", path.read_text(), re.MULTILINE)[1]
        for path in (root / "hub/requirements.txt", root / "singleuser/requirements.txt")
    }
    installed = zora.python("import jupyterhub; print(jupyterhub.__version__)").strip()
    assert pinned == {installed}


# ---- who one is in it ------------------------------------------------------------------------


def test_any_uid_of_the_ledger_has_its_name(zora):
    assert zora.shell("whoami").strip() == "zora"
    assert zora.run("id").strip() == f"uid={UID}(zora) gid={UID}(zora) groups={UID}(zora)"
    assert zora.shell("echo ~zora").strip() == "/home/zora"
    assert zora.shell("touch x && stat -c '%U:%G %a' x").strip() == "zora:zora 664"


def test_the_root_file_system_is_read_only_and_the_home_is_not(zora):
    assert "Read-only file system" in zora.run("touch", "/opt/venv/x", check=False)
    zora.shell("echo fine > ~/writable")


def test_a_terminal_finds_the_users_programs_first_and_the_server_never(zora):
    terminal = zora.shell("echo $PATH").strip().split(":")
    server = zora.run("sh", "-c", "echo $PATH").strip().split(":")
    assert terminal[:2] == ["/home/zora/.local/bin", "/opt/venv/bin"]
    assert not any(path.startswith("/home") for path in server)
    assert zora.shell("umask").strip() == "0002"


@pytest.mark.parametrize(
    "program",
    [
        *("git", "less", "nano", "vi", "curl", "ssh", "ps", "uv", "pip", "jupyter"),
        *("new-kernel", "nbstripout", "largest-packages"),
    ],
)
def test_a_terminal_has_the_programs_that_people_expect(zora, program):
    assert zora.shell(f"command -v {program}").startswith("/")


def test_a_terminal_completes_commands(zora):
    """Bash's completion for git answers, as it does after a Tab."""
    asked = "source /usr/share/bash-completion/bash_completion; _comp_load git; complete -p git"
    assert "git" in zora.shell(f"bash -ic '{asked}' 2> /dev/null")


def test_the_time_zone_is_a_variable_that_all_programs_know(zora):
    ask = "from datetime import datetime; print(datetime(2026, 7, 1).astimezone().tzname())"
    assert zora.shell("TZ=Europe/Berlin date --date @0 +%H:%M").strip() == "01:00"
    assert zora.shell(f"TZ=Europe/Berlin python -c '{ask}'").strip() == "CEST"


# ---- git -------------------------------------------------------------------------------------


def test_git_works_from_the_first_minute_with_safe_defaults(zora):
    zora.shell("mkdir -p repo && cd repo && git init --quiet && git config user.name zora")
    zora.shell("cd repo && git config user.email z@hub.localhost && echo x > x && git add x")
    zora.shell("cd repo && git commit --quiet -m first")
    assert zora.shell("cd repo && git branch --show-current").strip() == "main"
    assert zora.shell("git config pull.ff").strip() == "only"
    # in memory for an hour, never in a file
    assert zora.shell("git config credential.helper").strip() == "cache --timeout=3600"


def test_what_git_has_without_perl_is_what_people_use(zora):
    """Interactive adding and rebasing, submodules, stash: none of them asks for Perl."""
    zora.shell("rm -rf two && git clone --quiet repo two && cd two && printf 'a\nb\n' > x")
    zora.shell("cd two && git config user.name zora && git config user.email z@hub.localhost")
    zora.shell("cd two && echo y | git add --patch > /dev/null && git stash --quiet")
    zora.shell("cd two && git stash pop --quiet && git diff HEAD --stat")
    allow = "-c protocol.file.allow=always"
    zora.shell(f"cd two && git {allow} submodule --quiet add ../repo sub && git submodule status")
    zora.shell("cd two && GIT_SEQUENCE_EDITOR=true git rebase --autostash --interactive --root")


def test_outputs_stay_out_of_commits_for_who_wants_it(zora):
    cell = {"cell_type": "code", "id": "a", "execution_count": 1, "metadata": {}, "source": "1"}
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "a secret"}]
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    zora.shell("mkdir -p strip && cd strip && git init --quiet && nbstripout --install")
    zora.run("sh", "-c", "cat > strip/n.ipynb", stdin=json.dumps(notebook))
    zora.shell("cd strip && git add n.ipynb")
    assert "a secret" not in zora.shell("cd strip && git show :n.ipynb")
    assert "a secret" in zora.shell("cat strip/n.ipynb")


def test_text_is_utf8(zora):
    assert zora.python("import sys; print(sys.stdout.encoding, 'ü🔥')").strip() == "utf-8 ü🔥"


def test_no_node_and_no_compiler_is_there(zora):
    for program in ("node", "gcc", "cc"):
        assert zora.run("sh", "-c", f"command -v {program} || true") == ""


def test_each_module_that_is_put_off_would_else_be_imported(zora):
    """Where this fails, upstream has become leaner: take the line out of late_imports.LATE."""
    script = """
import importlib, sys
from tinyberth_start.late_imports import LATE, SERVER
for name in SERVER:
    importlib.import_module(name)
print(*[late.module for late in LATE if late.module not in sys.modules])
"""
    assert zora.python(script).split() == []


def test_what_is_put_off_comes_when_it_is_asked_and_works(zora):
    """Schemas, the hub's scopes, the extensions' catalogue: nothing is lost."""
    script = """
import sys
from tinyberth_start.late_imports import LATE, import_server
assert callable(import_server())
assert not {late.module for late in LATE} & set(sys.modules), "asked for at import"
assert not {"lark", "alembic", "httpx", "rich", "mako"} & set(sys.modules)
from jsonschema import Draft202012Validator, FormatChecker
check = FormatChecker()
print(*[check.conforms(text, "iri") for text in ("http://münchen.example/ß", "no iri", "")])
print(check.conforms("münchen", "iri-reference"), "lark" in sys.modules)
print(check.conforms("P1DT2H", "duration"), check.conforms("tomorrow", "duration"))
import jupyterhub.scopes
user = jupyterhub.scopes.orm.User
import jupyterhub.orm, sqlalchemy
print(user is jupyterhub.orm.User, jupyterhub.scopes.sa.inspect is sqlalchemy.inspect)
import jupyterlab_server.listings_handler, requests
print(jupyterlab_server.listings_handler.requests.get is requests.get)
from jupyterlab.extensions import get_pypi_manager, pypi
print(isinstance(get_pypi_manager(), pypi.PyPIExtensionManager))
"""
    printed = "True False False / True True / True False / True True / True / True"
    assert zora.python(script).split() == printed.replace("/", "").split()


def test_byte_code_of_all_that_server_kernel_and_lesson_import_is_there(zora):
    """Nobody can write it later: without it, `import keras_hub` takes 10.1 s instead of 3.8."""
    script = """
import os, sys
from importlib.util import cache_from_source
from tinyberth_start.late_imports import import_server
import_server()
import ipykernel.ipkernel, IPython.core.completer, nbconvert, keras_hub, pandas, sklearn, tinybert
import tinyberth_start.__main__
files = {str(getattr(module, "__file__", "")) for module in list(sys.modules.values())}
files = [file for file in files if file.endswith(".py")]
print(len(files) > 3000, *[f for f in files if not os.path.exists(cache_from_source(f))])
"""
    assert zora.python(script).split() == ["True"]


# ---- what one can do in it -------------------------------------------------------------------


def test_there_is_one_tensorflow(zora):
    script = """
from importlib.metadata import distributions
print(*{str(d.locate_file("tensorflow")) for d in distributions()
        if d.name.replace("_", "-") in ("tensorflow", "tensorflow-cpu")})
import pathlib, tensorflow
print(pathlib.Path(tensorflow.__file__).parent)
"""
    one, imported = zora.python(script).split()
    assert one == imported


def test_pip_finds_nothing_amiss_and_nothing_to_bring_a_second_tensorflow(zora):
    """What was left out is not asked for any more, and `tensorflow` is known to be here."""
    assert zora.shell("pip check") == "No broken requirements found.\n"
    asked = zora.shell("pip install --user --no-index --dry-run tensorflow keras-hub 2>&1")
    assert "Would install" not in asked


def test_names_in_c_are_still_found_in_tensorflows_library(zora):
    """Those of C++ were shortened: build/forget_symbol_names.py."""
    script = """
import ctypes, pathlib, tensorflow as tf
library = ctypes.CDLL(str(pathlib.Path(tf.__file__).parent / "libtensorflow_cc.so.2"))
library.TF_Version.restype = ctypes.c_char_p
assert library.TF_Version().decode() == tf.__version__
"""
    zora.python(script)


def test_a_tensorflow_error_is_an_exception_and_not_the_end(zora):
    """Thrown in C++, caught in Python: the tables for it are where they were."""
    script = """
import tensorflow as tf
try:
    tf.function(lambda: tf.reshape(tf.ones(3), (2, 2)), jit_compile=True)()
except (ValueError, tf.errors.InvalidArgumentError):
    print("caught")
try:
    tf.io.read_file("/nowhere").numpy()
except tf.errors.NotFoundError as error:
    print("/nowhere" in str(error))
"""
    assert zora.python(script) == "caught\nTrue\n"


def test_every_library_that_was_stripped_still_loads(zora):
    script = """
import ctypes, pathlib, sysconfig
import tensorflow, tensorflow_text, numpy, scipy.linalg, sklearn
site = pathlib.Path(sysconfig.get_path("purelib"))
count = 0
for path in site.rglob("*.so"):
    # TensorFlow's were loaded by the imports, in an order that matters; the debugger's are for
    # other processes
    if path.parts[-2] != "pydevd_attach_to_process" and "tensorflow" not in str(path):
        ctypes.CDLL(str(path))
        count += 1
print(count)
"""
    assert int(zora.python(script)) > 200


def test_a_keras_model_trains_with_xla_and_comes_back_from_disk(zora):
    script = """
import keras, numpy as np, tensorflow as tf
keras.utils.set_random_seed(1)
x = np.random.rand(256, 8).astype("float32"); y = (x.sum(1) > 4).astype("float32")
dense = keras.layers.Dense
model = keras.Sequential([keras.Input((8,)), dense(16, "relu"), dense(1)])
model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(256).batch(32).map(lambda a, b: (a, b))
losses = model.fit(data, epochs=5, verbose=0).history["loss"]
assert losses[-1] < losses[0], losses
model.save("/home/zora/m.keras"); model.export("/home/zora/saved_model", verbose=False)
again = keras.models.load_model("/home/zora/m.keras")
np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)
compiled = tf.function(lambda a: tf.nn.softmax(a @ tf.transpose(a)), jit_compile=True)
assert compiled(x).shape == (256, 256)
assert len(tf.lite.TFLiteConverter.from_keras_model(model).convert()) > 500
"""
    zora.python(script)


def test_tinybert_is_there_labelled_and_takes_plain_text(zora):
    script = """
import json, tinybert, keras_nlp, tensorflow as tf
preset = tinybert.find_preset("bert_tiny_en_uncased")
label = json.loads((preset.path / "PROVENANCE.json").read_text())
assert label["trained"] is preset.trained and ("UNTRAINED" in str(preset)) is (not preset.trained)
classifier = keras_nlp.models.BertTextClassifier.from_preset(str(preset.path), num_classes=2)
assert classifier.backbone.count_params() == 4_385_920
tokenizer = classifier.preprocessor.tokenizer
assert tokenizer.vocabulary_size() == 30_522 and tokenizer.lowercase
assert tokenizer.detokenize(tokenizer("Forest FIRE, 3 rescued!")) == "forest fire , 3 rescued !"
batches = tf.data.Dataset.from_tensor_slices((["a fire", "a flood"], [0, 1])).batch(2)
assert classifier.predict(batches, verbose=0).shape == (2, 2)
print(preset)
"""
    print(zora.python(script))


def test_the_pinned_revision_is_the_one_that_keras_hub_knows(root, zora):
    script = """
import keras_hub
print(keras_hub.models.BertBackbone.presets["bert_tiny_en_uncased"]["kaggle_handle"])
"""
    lock = json.loads((root / "singleuser/presets/presets.json").read_text())
    assert zora.python(script).strip().endswith(lock["bert_tiny_en_uncased"]["handle"])


def test_tokenizers_of_both_kinds_work(zora):
    script = """
import tensorflow_text as tft, tokenizers
assert tft.WhitespaceTokenizer().tokenize(["a b"]).to_list() == [[b"a", b"b"]]
words = tokenizers.models.WordLevel({"a": 0}, unk_token="a")
assert tokenizers.Tokenizer(words).encode("a").ids == [0]
"""
    zora.python(script)


def test_pandas_sklearn_and_matplotlib_do_a_days_work(zora):
    script = """
import io, pandas as pd, matplotlib.pyplot as plt
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
x, y = load_iris(return_X_y=True, as_frame=True)
assert cross_val_score(make_pipeline(StandardScaler(), LogisticRegression()), x, y).mean() > 0.9
text = x.to_csv(index=False)
assert pd.read_csv(io.StringIO(text)).shape == (150, 4)
x.to_json("/home/zora/x.json"); assert pd.read_json("/home/zora/x.json").shape == (150, 4)
import sqlite3
with sqlite3.connect("/home/zora/x.db") as database:
    x.to_sql("iris", database)
    assert pd.read_sql("select * from iris", database).shape == (150, 5)
x.to_pickle("/home/zora/x.pkl")
assert pd.read_pickle("/home/zora/x.pkl").equals(x)
x.plot.scatter(x=0, y=1, c=y); plt.title("Größe $\\\\alpha^2$ ✓"); plt.savefig("/home/zora/p.png")
plt.savefig("/home/zora/p.pdf"); plt.savefig("/home/zora/p.svg")
assert open("/home/zora/p.png", "rb").read(8) == b"\\x89PNG\\r\\n\\x1a\\n"
"""
    zora.python(script)


def test_a_notebook_runs_and_becomes_a_web_page(zora):
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": "a",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": "import os; print(os.environ['PATH']); os.umask(0)",
            }
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "x"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    zora.run("sh", "-c", "cat > n.ipynb", stdin=json.dumps(notebook))
    zora.shell("jupyter nbconvert --log-level ERROR --execute --to html n.ipynb")
    assert "/home/zora/.local/bin:/opt/venv/bin" in zora.run("cat", "n.html")


def test_secrets_come_from_the_homes_env_file_as_the_docs_say(zora):
    zora.shell("mkdir -p notebooks && echo 'API_KEY=from the home' > .env && chmod 600 .env")
    script = """
import os
os.chdir("/home/zora/notebooks")  # where a notebook's kernel runs
from jupyter_client.manager import run_kernel
with run_kernel() as client:
    client.execute_interactive("import os; from dotenv import load_dotenv; print(load_dotenv())")
    client.execute_interactive("print(os.environ['API_KEY'])")
"""
    assert zora.python(script) == "True\nfrom the home\n"
    magic = script.replace(
        "import os; from dotenv import load_dotenv; print(load_dotenv())",
        "import os\\n%load_ext dotenv\\n%dotenv",
    )
    assert zora.python(magic) == "from the home\n"


def test_a_script_says_what_fills_the_image(zora):
    printed = zora.shell("largest-packages 5").splitlines()
    assert re.search(r"MB  tensorflow(_cpu)? 2\.21", "\n".join(printed))
    assert len([line for line in printed if " MB  " in line]) == 8  # 2 totals, 5, and the rest


PACKAGE = """
import pathlib, zipfile
with zipfile.ZipFile("berthtoy-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("berthtoy.py", "ANSWER = 42")
    info = "berthtoy-1.0.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: berthtoy\\nVersion: 1.0\\n")
    kind = "Generator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\n" + kind)
    wheel.writestr(info + "RECORD", "")
"""

ASK_A_KERNEL = """
from jupyter_client.manager import run_kernel
with run_kernel() as client:
    client.execute_interactive("import berthtoy; print(berthtoy.ANSWER, berthtoy.__file__)")
"""


def test_pip_install_user_reaches_kernels_and_not_the_server(zora):
    zora.python(PACKAGE)
    zora.shell("pip install --user --no-index --quiet ./berthtoy-1.0-py3-none-any.whl")
    assert zora.python(ASK_A_KERNEL).startswith("42 /home/zora/.local/lib")
    isolated = zora.run("python", "-I", "-c", "import berthtoy", check=False)
    assert "ModuleNotFoundError" in isolated


def test_uv_makes_an_environment_in_the_home(zora):
    zora.python(PACKAGE)
    zora.shell("uv venv --offline --quiet env")
    zora.shell("uv pip install --offline --quiet --python env ./berthtoy-1.0-py3-none-any.whl")
    assert zora.shell("env/bin/python -c 'import berthtoy; print(berthtoy.ANSWER)'") == "42\n"


def test_a_first_start_in_an_empty_home_warns_of_nothing(start):
    script = "import matplotlib.pyplot, keras, keras_hub, tensorflow, sklearn, pandas"
    fresh = start()
    assert fresh.run("python", "-c", script, check=False) == ""


# ---- the server ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(start, root):
    """Return what happened to servers in homes full of traps, with a stand-in for the hub."""
    container = start("--volume", f"{root}/tests/image:/tests:ro")
    return json.loads(container.run("python", "/tests/server_in_a_hostile_home.py"))


@pytest.mark.parametrize("home", ["here", "linked"])
def test_a10_the_server_starts_in_a_hostile_home_and_runs_none_of_its_code(hostile, home):
    report = hostile[home]
    print(f"server answers after {report['seconds']:.2f} s")
    assert report["status"] == 200
    assert report["code_that_ran"] == []
    assert not re.search(r"ERROR|CRITICAL|Traceback|\[E |\[C ", report["log"]), report["log"]
    assert report["delivered"] == [
        "Disaster tweets with TinyBERT.ipynb",
        "Your data, your permissions.ipynb",
        "Your environment.ipynb",
    ]
    assert report["git_name"] == "zora"
    assert report["umask"] == "0002"
    assert set(report["kernels"]) == {"python3", "of-my-own"}
    # JupyterLab and Notebook; memory use with the limit that JupyterHub passes on
    assert report["pages"] == {"/lab": 200, "/tree": 200, "/lab/api/extensions": 200}
    assert report["memory"]["limits"]["memory"]["rss"] == 4 * 2**30
    assert 10 * 2**20 < report["memory"]["rss"] < 2**30
    assert "@jupyter-server/resource-usage" in report["extensions"]
    # pages are the image's too: nothing of the home's is loaded or switched off
    assert "trap" not in report["extensions"]
    assert "@jupyterlab/terminal-extension" not in report["disabled"]
    # nothing is fetched, and nothing can be installed, from elsewhere
    assert report["news"] == {"disabled": True}
    assert report["extension_manager"]["can_install"] is False
    assert report["process"] == "/opt/venv/bin/python -I -m tinyberth_start"


def test_a10_the_traps_catch_jupyterhubs_own_program(hostile):
    """The control: without what the image does, code in the home runs in the server."""
    assert hostile["stock"]["code_that_ran"] != []
    # JupyterHub's switch looks into links that leave the home; that is why we do more
    assert "~/.jupyter" in hostile["switch"]["code_that_ran"]


def test_a_server_that_stops_does_not_collect_its_memory_first(start, root):
    """It is told from within: what is registered before the server's own runs after it."""
    script = """
import sys
from pathlib import Path
sys.path.insert(0, "/tests")
from server_of_the_image import Server
tell = "atexit.register(lambda: print('frozen:', gc.get_freeze_count(), file=sys.stderr))"
become = "runpy.run_module('tinyberth_start', run_name='__main__')"
code = f"import atexit, gc, runpy, sys; {tell}; {become}"
server = Server(Path.home(), ("/opt/venv/bin/python", "-I", "-c", code))
server.wait()
server.stop()
print(server.process.returncode, server.log().rpartition("frozen:")[2])
"""
    container = start("--volume", f"{root}/tests/image:/tests:ro")
    code, frozen = container.python(script).split()
    assert code == "0"
    assert int(frozen) > 10_000
