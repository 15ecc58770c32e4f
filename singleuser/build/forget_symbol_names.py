"""Shorten the names of C++ symbols in a library: ``forget_symbol_names.py LIBRARY FOLDER…``.

libtensorflow_cc.so.2 exports 435,000 C++ functions for programs that are linked against it. Their
names take 80 MB, and `strip` must leave them: the library finds its own functions by them. But
nothing else does, except the few that other libraries ask for. So a name that no other library in
FOLDER… has becomes a number, and one that the library itself does not need goes.

What stays: names that any other library there has, defined or asked for (also where both define
one and the loader makes them one); names in C, which programs look up by hand. Code, data and
addresses are not touched; only the tables at the file's beginning are written anew (generic ABI
and https://flapenguin.me/elf-dt-gnu-hash), and the hole behind them is taken out of the file. A
library that is not laid out as lld does it is left as it is, with one line that says so.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

SYMBOL = np.dtype("<u4, u1, u1, <u2, <u8, <u8")
SYMBOL.names = ("name", "info", "other", "shndx", "value", "size")
RELOCATION = np.dtype([("offset", "<u8"), ("info", "<u8"), ("addend", "<i8")])
HEADER, PROGRAM, SECTION = "<16sHHIQQQIHHHHHH", "<IIQQQQQQ", "<IIQQQQIIQQ"
PT_LOAD, PT_PHDR = 1, 6
DT_STRTAB, DT_SYMTAB, DT_STRSZ = 5, 6, 10
DT_GNU_HASH, DT_VERSYM, DT_VERDEF, DT_VERNEED = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFE
DT_NAMES = {1, 14, 15, 29}  # NEEDED, SONAME, RPATH, RUNPATH: offsets of strings
TABLES = (".dynsym", ".gnu.version", ".gnu.version_d", ".gnu.version_r", ".gnu.hash", ".dynstr")
TAGS = (DT_SYMTAB, DT_VERSYM, DT_VERDEF, DT_VERNEED, DT_GNU_HASH, DT_STRTAB)
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class OtherLayoutError(Exception):
    """Not a library that this program understands."""


class Elf:
    """A 64-bit little-endian ELF file, read."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise OtherLayoutError("not 64-bit little-endian ELF")
        self.header = list(struct.unpack_from(HEADER, self.data))
        self.programs = self._table(PROGRAM, self.header[5], self.header[10])
        self.sections = self._table(SECTION, self.header[6], self.header[12])
        names = self.sections[self.header[13]][4] if self.sections else 0
        self.names = [self._string(names + section[0]) for section in self.sections]

    def section(self, name: str) -> list[int]:
        try:
            return self.sections[self.names.index(name)]
        except ValueError:
            raise OtherLayoutError(f"no section {name}") from None

    def content(self, name: str) -> bytes:
        section = self.section(name)
        return self.data[section[4] : section[4] + section[5]]

    def symbols(self) -> tuple[Any, list[bytes]]:
        """Return the dynamic symbols and the name of each."""
        table = np.frombuffer(self.content(".dynsym"), SYMBOL)
        strings = self.content(".dynstr")
        return table, [text_at(strings, offset) for offset in table["name"].tolist()]

    def _table(self, form: str, offset: int, count: int) -> list[list[int]]:
        size = struct.calcsize(form)
        places = range(offset, offset + size * count, size)
        return [list(struct.unpack_from(form, self.data, place)) for place in places]

    def _string(self, offset: int) -> str:
        return text_at(self.data, offset).decode()


def text_at(data: bytes, offset: int) -> bytes:
    return data[offset : data.index(b"\0", offset)]


def gnu_hash(name: bytes) -> int:
    value = 5381
    for byte in name:
        value = (value * 33 + byte) & 0xFFFFFFFF
    return value


def number(value: int) -> str:
    digits = ""
    while value or not digits:
        value, digit = divmod(value, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits


class Strings:
    """A string table that grows; equal strings are stored once."""

    def __init__(self) -> None:
        self.offsets: dict[bytes, int] = {b"": 0}
        self.parts = [b"\0"]
        self.size = 1

    def add(self, text: bytes) -> int:
        if text not in self.offsets:
            self.offsets[text] = self.size
            self.parts.append(text + b"\0")
            self.size += len(text) + 1
        return self.offsets[text]

    def content(self) -> bytes:
        return b"".join(self.parts)


def names_elsewhere(library: Path, folders: Iterable[Path]) -> set[bytes]:
    """Return every dynamic symbol's name in the other libraries."""
    found: set[bytes] = set()
    for folder in folders:
        for path in sorted(folder.rglob("*.so*")):
            if path.is_symlink() or not path.is_file() or path.samefile(library):
                continue
            try:
                found.update(Elf(path).symbols()[1])
            except (OtherLayoutError, struct.error):
                continue  # a linker script, another machine's library
    return found


def shortened(elf: Elf, elsewhere: set[bytes]) -> bytes:
    """Return the library's new content. Pure."""
    first, rest = check_layout(elf)
    table, names = elf.symbols()
    relocations = {
        name: np.frombuffer(elf.content(name), RELOCATION).copy()
        for name in (".rela.dyn", ".rela.plt")
        if name in elf.names
    }
    needed = np.zeros(len(table), bool)
    for entries in relocations.values():
        needed[entries["info"] >> 32] = True
    new_names = dict(choose_names(table, names, needed.tolist(), elsewhere))

    strings = Strings()
    order, hash_table = arrange(table, new_names)
    moved = np.zeros(len(table), np.uint64)
    moved[order] = np.arange(len(order))
    symbols = table[order].copy()
    symbols["name"] = [strings.add(new_names[index]) for index in order]
    old_strings = elf.content(".dynstr")
    tables = {
        ".dynsym": symbols.tobytes(),
        ".gnu.version": np.frombuffer(elf.content(".gnu.version"), "<u2")[order].tobytes(),
        ".gnu.hash": hash_table,
    }
    if ".gnu.version_d" in elf.names:
        tables[".gnu.version_d"] = renamed_definitions(elf, old_strings, strings)
    tables[".gnu.version_r"] = renamed_needs(elf, old_strings, strings)
    dynamic = np.frombuffer(elf.content(".dynamic"), "<u8").reshape(-1, 2).copy()
    for entry in dynamic:
        if int(entry[0]) in DT_NAMES:
            entry[1] = strings.add(text_at(old_strings, int(entry[1])))
    tables[".dynstr"] = strings.content()
    for entries in relocations.values():
        index = entries["info"] >> np.uint64(32)
        entries["info"] = (moved[index] << np.uint64(32)) | (
            entries["info"] & np.uint64(0xFFFFFFFF)
        )
    return lay_out(elf, tables, relocations, dynamic, first, rest)


def choose_names(
    table: Any, names: list[bytes], needed: list[bool], elsewhere: set[bytes]
) -> Iterator[tuple[int, bytes]]:
    """Yield (symbol, new name) for every symbol that stays."""
    defined, bindings = (table["shndx"] != 0).tolist(), (table["info"] >> 4).tolist()
    for index, name in enumerate(names):
        ours_alone = (
            defined[index]
            and bindings[index] in (1, 2)  # global, weak
            and name.startswith(b"_Z")
            and name not in elsewhere
        )
        if not ours_alone:
            yield index, name
        elif needed[index]:
            yield index, f"!{number(index)}".encode()


def arrange(table: Any, new_names: dict[int, bytes]) -> tuple[Any, bytes]:
    """Return the order of the symbols, and .gnu.hash for it: undefined ones first, unhashed."""
    undefined = [index for index in new_names if table["shndx"][index] == 0]
    defined = [index for index in new_names if table["shndx"][index] != 0]
    hashes = np.array([gnu_hash(new_names[index]) for index in defined], np.uint32)
    buckets = max(len(defined) // 4, 1)
    by_bucket = np.argsort(hashes % buckets, kind="stable")
    hashes = hashes[by_bucket]
    defined_in_order = np.array(defined, np.int64)[by_bucket]
    order = np.concatenate([np.array(undefined, np.int64), defined_in_order])

    words, shift = 1 << max((len(defined) * 12 // 64).bit_length() - 1, 0), 26
    bloom = np.zeros(words, np.uint64)
    one, bits = np.uint64(1), np.uint64(64)
    for value in (hashes, hashes >> np.uint32(shift)):
        np.bitwise_or.at(bloom, (hashes // 64) % words, one << (value.astype(np.uint64) % bits))
    place = hashes % buckets
    starts = np.zeros(buckets, np.uint32)
    heads = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    starts[place[heads]] = heads + len(undefined)
    chain = hashes & np.uint32(0xFFFFFFFE)
    chain[np.r_[heads[1:] - 1, len(hashes) - 1]] |= 1
    head = struct.pack("<IIII", buckets, len(undefined), words, shift)
    return order, head + bloom.tobytes() + starts.tobytes() + chain.tobytes()


def renamed_definitions(elf: Elf, old: bytes, strings: Strings) -> bytes:
    content, place = bytearray(elf.content(".gnu.version_d")), 0
    while True:
        count, _, aux, following = struct.unpack_from("<HIII", content, place + 6)
        name_place = place + aux
        for _ in range(count):
            name, step = struct.unpack_from("<II", content, name_place)
            struct.pack_into("<I", content, name_place, strings.add(text_at(old, name)))
            name_place += step
        if not following:
            return bytes(content)
        place += following


def renamed_needs(elf: Elf, old: bytes, strings: Strings) -> bytes:
    content, place = bytearray(elf.content(".gnu.version_r")), 0
    while True:
        _, count, file, aux, following = struct.unpack_from("<HHIII", content, place)
        struct.pack_into("<I", content, place + 4, strings.add(text_at(old, file)))
        name_place = place + aux
        for _ in range(count):
            name, step = struct.unpack_from("<II", content, name_place + 8)
            struct.pack_into("<I", content, name_place + 8, strings.add(text_at(old, name)))
            name_place += step
        if not following:
            return bytes(content)
        place += following


def check_layout(elf: Elf) -> tuple[list[int], int]:
    """Return the first segment, and where in it the part begins that stays in its place."""
    loads = [program for program in elf.programs if program[0] == PT_LOAD]
    if not loads or loads[0][2:4] != [0, 0] or elf.header[5] != 64:
        raise OtherLayoutError("its first segment does not begin with its headers")
    tables = [name for name in TABLES if name in elf.names]
    present = [name for name in elf.names if name in TABLES]
    first_index = elf.names.index(present[0]) if present else 0
    if present != tables or first_index != 1 or elf.names[1 : 1 + len(tables)] != tables:
        raise OtherLayoutError("its symbol tables are not its first sections, in lld's order")
    rest = elf.sections[1 + len(tables)]
    if rest[3] != rest[4] or rest[4] >= loads[0][5]:
        raise OtherLayoutError("what follows the symbol tables is not in the first segment")
    return loads[0], rest[4]


def lay_out(  # noqa: PLR0917 - what the file is made of
    elf: Elf,
    tables: dict[str, bytes],
    relocations: dict[str, Any],
    dynamic: Any,
    first: list[int],
    rest: int,
) -> bytes:
    """Write tables, then what follows them at its old address but nearer in the file."""
    page = max(program[7] for program in elf.programs if program[0] == PT_LOAD)
    addresses, head = {}, bytearray(64 + 56 * (len(elf.programs) + 1))
    for name in TABLES:
        if name in tables:
            head += bytes(-len(head) % 8)
            addresses[name] = len(head)
            head += tables[name]
    kept_from = rest - rest % page
    place = len(head) + -len(head) % page
    shift = kept_from - place
    if shift <= 0:
        raise OtherLayoutError("nothing would be saved")
    data = bytearray(head) + bytes(place - len(head)) + elf.data[kept_from:]
    data[place : place + rest - kept_from] = bytes(rest - kept_from)  # the old names' end

    for name, entries in relocations.items():
        section = elf.section(name)
        data[section[4] - shift : section[4] - shift + section[5]] = entries.tobytes()
    tags = {tag: addresses[name] for tag, name in zip(TAGS, TABLES) if name in addresses}
    tags[DT_STRSZ] = len(tables[".dynstr"])
    for entry in dynamic:
        entry[1] = tags.get(int(entry[0]), int(entry[1]))
    section = elf.section(".dynamic")
    data[section[4] - shift : section[4] - shift + section[5]] = dynamic.tobytes()

    programs = []
    for program in elf.programs:
        kind, flags, offset, address, physical, in_file, in_memory, align = program
        if program is first:
            programs.append([kind, flags, 0, 0, 0, len(head), len(head), align])
            offset, address, physical = kept_from, kept_from, kept_from
            in_file, in_memory = in_file - kept_from, in_memory - kept_from
        if kind == PT_PHDR:
            in_file = in_memory = 56 * (len(elf.programs) + 1)
        elif offset >= kept_from:
            offset -= shift
        programs.append([kind, flags, offset, address, physical, in_file, in_memory, align])
    for name, section in zip(elf.names, elf.sections):
        if name in tables:
            section[3:6] = [addresses[name], addresses[name], len(tables[name])]
        elif section[4] >= kept_from:
            section[4] -= shift
    elf.header[6] -= shift
    elf.header[10] += 1
    struct.pack_into(HEADER, data, 0, *elf.header)
    for index, program in enumerate(programs):
        struct.pack_into(PROGRAM, data, 64 + 56 * index, *program)
    for index, section in enumerate(elf.sections):
        struct.pack_into(SECTION, data, elf.header[6] + 64 * index, *section)
    return bytes(data)


def main(library: Path, folders: list[Path]) -> None:
    before = library.stat().st_size
    try:
        content = shortened(Elf(library), names_elsewhere(library, folders))
    except OtherLayoutError as reason:
        print(f"{library} is left as it is: {reason}")
        return
    mode = library.stat().st_mode
    temporary = library.with_name(f".{library.name}")
    temporary.write_bytes(content)
    temporary.chmod(mode)
    temporary.replace(library)
    print(f"{library.name}: {before / 1e6:.1f} MB to {len(content) / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
