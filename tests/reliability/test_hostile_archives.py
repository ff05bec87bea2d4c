"""Archives made to do harm are refused: nothing is written, run, or taken memory for."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ner_registry.data.model_files import read_model

MOST_MEMORY = 200  # MB above what the good archive takes
HUGE = 10**10  # bytes

# Loads the archives that it is given one after the other, the first of which is good.
LOADER = """
import resource, sys
import ner_registry as nr

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))  # so that a failure fails soon
good, *hostile = sys.argv[1:]
nr.load(good)
before = peak()
for path in hostile:
    try:
        nr.load(path)
    except nr.NerError as error:
        for line in error.lines():
            print(line)
    else:
        print("loaded", path)
print("MEMORY", peak() - before)
"""

Content = dict[str, bytes]
Member = tuple[tarfile.TarInfo, bytes]
META, CONFIG, WEIGHTS, TAGS = (
    "meta.json",
    "config.json",
    "weights.safetensors",
    "vocabulary/tags.json",
)
WORDS = "vocabulary/embedders/words.json"


class Bomb:
    """What unpickles to a file in the working directory."""

    def __reduce__(self) -> Any:
        return open, ("unpickled", "w")


def plain(name: str, content: bytes) -> Member:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name: str, kind: bytes, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def packed(members: list[Member]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), 1)


def hashed(content: Content, **changes: bytes) -> Content:
    """The model with some members changed, whose hashes are right again."""
    content = content | changes
    meta = json.loads(content[META])
    rest = {name: data for name, data in content.items() if name != META}
    meta["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in rest.items()}
    return content | {META: json.dumps(meta).encode()}


def model(content: Content) -> bytes:
    return packed([plain(name, data) for name, data in content.items()])


def with_member(*extra: Member) -> Callable[[Content], bytes]:
    """Beside what a model has; before it, where it would be read first."""

    def build(content: Content) -> bytes:
        return packed([*extra, *(plain(name, data) for name, data in content.items())])

    return build


def instead(name: str, extra: Member) -> Callable[[Content], bytes]:
    """In place of a member that a model has."""
    return lambda content: packed(
        [extra if key == name else plain(key, data) for key, data in content.items()]
    )


def changed(name: str, data: bytes) -> Callable[[Content], bytes]:
    """A member with another content, and its hash right."""
    return lambda content: model(hashed(content, **{name: data}))


def edited(name: str, change: Callable[[Any], Any]) -> Callable[[Content], bytes]:
    """A member of JSON with another value, and its hash right."""
    return lambda content: model(
        hashed(content, **{name: json.dumps(change(json.loads(content[name]))).encode()})
    )


def put(value: Any, *path: str) -> Callable[[Any], Any]:
    """Sets the value at a path."""

    def change(root: Any) -> Any:
        node = root
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
        return root

    return change


def part(value: Any, *path: str) -> Callable[[Content], bytes]:
    """Another value in the config's model."""
    return edited(CONFIG, put(value, "model", *path))


def meta(change: Callable[[Any], Any]) -> Callable[[Content], bytes]:
    """Another meta.json; it holds the hashes, and has none itself."""
    return lambda content: model(
        content | {META: json.dumps(change(json.loads(content[META]))).encode()}
    )


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def claims(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> Callable[[Content], bytes]:
    """A header of a member that is as long as it says, or ends before."""
    return lambda content: gzip.compress(header(name, size, kind) + bytes(2**20), 1)


def zeros(size: int) -> bytes:
    """What unpacks to so many; gzip's members follow one another."""
    return gzip.compress(bytes(2**20)) * (size // 2**20)


def bomb(name: str, kind: bytes = tarfile.REGTYPE) -> Callable[[Content], bytes]:
    """A member that unpacks to as many zeros as it says."""
    return lambda content: gzip.compress(header(name, 2**30, kind)) + zeros(2**30)


def sparse(content: Content) -> bytes:
    """No data at all, and a map that says that so many zeros stand between."""
    member = tarfile.TarInfo(WEIGHTS)
    member.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(HUGE),
        "GNU.sparse.map": f"{HUGE},0",
    }
    return packed([(member, b"")])


def sparse_map(content: Content) -> bytes:
    """A map of a sparse file that never ends."""
    member = tarfile.TarInfo(WEIGHTS)
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    data = f"{10**9}\n".encode() + b"0\n" * 2**22
    member.size = len(data)
    return packed([(member, data)])


def pax_size(size: str) -> Callable[[Content], bytes]:
    """A size that only the extended header tells."""

    def build(content: Content) -> bytes:
        member = tarfile.TarInfo(WEIGHTS)
        member.pax_headers = {"size": size}
        return packed([(member, b"")])

    return build


def twice(name: str) -> Callable[[Content], bytes]:
    return lambda content: packed(
        [*(plain(key, data) for key, data in content.items()), plain(name, content[name])]
    )


def without(name: str) -> Callable[[Content], bytes]:
    return lambda content: model({k: v for k, v in content.items() if k != name})


def pickled(content: Content) -> bytes:
    return pickle.dumps(Bomb())


def as_zip(content: Content) -> bytes:
    """As torch.save writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Bomb()))
    return buffer.getvalue()


def many_members(content: Content) -> bytes:
    extra = [plain(f"vocabulary/embedders/w{n}.json", b"{}") for n in range(2000)]
    return packed([*extra, *(plain(name, data) for name, data in content.items())])


def negative_size(content: Content) -> bytes:
    block = bytearray(header(WEIGHTS, 0))
    block[124:136] = b"\xff" * 11 + b"\x00"  # base 256: -256
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return gzip.compress(bytes(block) + bytes(2**20))


def forged_tensor(content: Content) -> bytes:
    """A safetensors header that says the data is where it isn't."""
    text = json.dumps({"w": {"dtype": "F32", "shape": [HUGE], "data_offsets": [0, 4 * HUGE]}})
    data = struct.pack("<Q", len(text)) + text.encode()
    return model(hashed(content, **{WEIGHTS: data}))


def members(count: int) -> Callable[[Content], bytes]:
    return meta(lambda value: value | {"members": count})


HOSTILE: dict[str, Callable[[Content], bytes]] = {
    # traversal
    "../escaped": with_member(plain("../escaped", b"x")),
    "../../escaped": with_member(plain("../../escaped", b"x")),
    "vocabulary/../../escaped": with_member(plain("vocabulary/../../escaped", b"x")),
    "an absolute path": with_member(plain("/tmp/ner_registry_escaped", b"x")),
    "./config.json": with_member(plain("./config.json", b"{}")),
    "an embedder of another folder": with_member(plain("vocabulary/embedders/../x.json", b"{}")),
    "backslashes": with_member(plain("..\\escaped", b"x")),
    "a NUL in a name": with_member(plain("config.json\0.py", b"x")),
    "a newline in a name": with_member(plain("config.json\n", b"x")),
    "a very long name": with_member(plain("x" * 50_000, b"x")),
    # what isn't of a model
    "a module": with_member(plain("code.py", b"open('ran', 'w')")),
    "a config in Jsonnet": with_member(plain("config.jsonnet", b"importstr '/etc/hostname'")),
    "a pickle beside": with_member(plain("weights.pt", pickle.dumps(Bomb()))),
    # links and devices
    "a symbolic link": instead(CONFIG, special(CONFIG, tarfile.SYMTYPE, "/etc/hostname")),
    "a symbolic link upwards": with_member(special("vocabulary", tarfile.SYMTYPE, "..")),
    "a hard link": instead(CONFIG, special(CONFIG, tarfile.LNKTYPE, META)),
    "a hard link outside": instead(WORDS, special(WORDS, tarfile.LNKTYPE, "/etc/hostname")),
    "a character device": instead(CONFIG, special(CONFIG, tarfile.CHRTYPE)),
    "a block device": instead(WEIGHTS, special(WEIGHTS, tarfile.BLKTYPE)),
    "a pipe": instead(WEIGHTS, special(WEIGHTS, tarfile.FIFOTYPE)),
    "a directory": with_member(special("weights", tarfile.DIRTYPE)),
    "a directory in place of a file": instead(CONFIG, special(CONFIG, tarfile.DIRTYPE)),
    "a type unknown to tar": instead(META, special(META, b"Z")),
    # duplicates and gaps
    "a config twice": twice(CONFIG),
    "weights twice": twice(WEIGHTS),
    "no weights": without(WEIGHTS),
    "no tags": without(TAGS),
    "no words": without(WORDS),
    "a member more than is hashed": lambda content: model(
        content | {"vocabulary/embedders/more.json": b"{}"}
    ),
    # bombs
    "weights of zeros": bomb(WEIGHTS),
    "a config of zeros": bomb(CONFIG),
    "words of zeros": bomb(WORDS),
    "an extended header of zeros": bomb("x", tarfile.XHDTYPE),
    "a global header of zeros": bomb("x", tarfile.XGLTYPE),
    "a long name of zeros": bomb("x", tarfile.GNUTYPE_LONGNAME),
    "a size beyond the file": claims(WEIGHTS, HUGE),
    "a small size beyond the file": claims(CONFIG, 2**20 - 1),
    "a negative size": negative_size,
    "a sparse file": sparse,
    "a sparse map without end": sparse_map,
    "a size in an extended header": pax_size(str(HUGE)),
    "a negative size in an extended header": pax_size("-1"),
    "zeros after the end": lambda content: model(content) + zeros(2**30),
    "members without end": many_members,
    "brackets without end": lambda content: model(content | {META: b"[" * 500_000}),
    "brackets in the config": changed(CONFIG, b'{"model":' * 100_000),
    "a number without end": changed(TAGS, b"9" * 1_000_000),
    # a model that nobody has the memory for
    "a hidden size": part(10**7, "encoder", "hidden_size"),
    "layers": part(10**9, "encoder", "num_layers"),
    "an embedding": part(10**9, "embedders", "words", "embedding_dim"),
    "members of an ensemble": members(10**9),
    # pickles
    "a pickle": pickled,
    "a pickle in a zip": as_zip,
    "a pickle in gzip": lambda content: gzip.compress(pickle.dumps(Bomb())),
    "a pickle for weights": changed(WEIGHTS, pickle.dumps(Bomb())),
    "a forged tensor": forged_tensor,
    # wrong hashes
    "other weights": lambda content: model(
        content | {WEIGHTS: content[WEIGHTS][:-1] + b"\x00\x01"[content[WEIGHTS][-1] == 0 :][:1]}
    ),
    "other tags": lambda content: model(content | {TAGS: content[TAGS].replace(b"PER", b"LOC")}),
    "no hashes": meta(lambda value: {k: v for k, v in value.items() if k != "sha256"}),
    "hashes that are none": meta(lambda value: value | {"sha256": ["config.json"]}),
    "a newer format": meta(lambda value: value | {"format_version": 2}),
    # what a config must not name
    "a dotted type": part({"type": "os.system", "command": "touch ran"}, "encoder"),
    "a dotted type of ours": part({"type": "ner_registry.encoders.LstmEncoder"}, "encoder"),
    "a type of torch": part({"type": "torch.nn.Identity"}, "head"),
    "a config that is Jsonnet": changed(CONFIG, b"{ model: importstr '/etc/hostname' }"),
    "packages to import": edited(CONFIG, put({"type": "antigravity.X"}, "model", "encoder")),
    "packages in meta": lambda content: meta(lambda value: value | {"packages": ["this"]})(
        hashed(content, **{CONFIG: content[CONFIG].replace(b'"lstm"', b'"this"')})
    ),
    "a list for a model": edited(CONFIG, put([], "model")),
    "labels that are none": edited(TAGS, put(7, "labels")),
    "a scheme that is none": edited(TAGS, put("IOB7", "scheme")),
}


def everything_below(folder: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_hostile_archives(run_directory: Path, tmp_path: Path) -> None:
    assert len(HOSTILE) >= 60
    good = run_directory / "model.tar.gz"
    content = read_model(good)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    paths = {name: inner / f"{number}.tar.gz" for number, name in enumerate(HOSTILE)}
    for name, build in HOSTILE.items():
        paths[name].write_bytes(build(dict(content)))
    before = everything_below(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(good), *map(str, paths.values())],
        cwd=inner,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *told, memory = done.stdout.splitlines()
    for name, path in paths.items():
        lines = [line for line in told if line.startswith(f"{path}: ")]
        assert lines, name
        assert all(len(line) < 1000 for line in lines), name
    assert not any(line.startswith("loaded ") for line in told)
    assert everything_below(tmp_path) == before
    assert not Path("/tmp/ner_registry_escaped").exists()
    assert int(memory.removeprefix("MEMORY ")) < MOST_MEMORY


@pytest.mark.parametrize("damage", ["a flipped bit", "a zeroed page", "a truncation"])
@pytest.mark.parametrize("form", ["archive", "directory"])
def test_damaged_models(
    damage: str, form: str, whole: bool, run_directory: Path, tmp_path: Path
) -> None:
    import random
    import shutil

    from ner_registry.errors import ArchiveError

    rng = random.Random(f"{damage} {form}")
    if form == "archive":
        place = target = tmp_path / "model.tar.gz"
        shutil.copy(run_directory / "model.tar.gz", target)
    else:
        place, target = tmp_path / "run", tmp_path / "run" / "best.safetensors"
        shutil.copytree(run_directory, place)
    content, sound = target.read_bytes(), read_model(place)
    refused = 0
    for _ in range(200 if whole else 20):
        spoilt = bytearray(content)
        at = rng.randrange(len(content))
        if damage == "a flipped bit":
            spoilt[at] ^= 1 << rng.randrange(8)
        elif damage == "a zeroed page":
            at -= at % 4096
            spoilt[at : at + 4096] = bytes(len(spoilt[at : at + 4096]))
        else:
            del spoilt[at:]
        target.write_bytes(spoilt)
        try:
            found = read_model(place)
        except ArchiveError:
            refused += 1
        else:
            assert found == sound
    assert refused
