"""Turns the output of a terminal into rows of coloured runs of text."""

import re
import unicodedata
from dataclasses import dataclass, replace

# Only what sets colours is drawn; other sequences are left out.
ESCAPE = re.compile(r"\x1b\[([0-9;:]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
EMOJI_SELECTOR = "\ufe0f"


@dataclass(frozen=True)
class Style:
    """How a run of text looks. The colour is 0 to 15, or None for the default."""

    colour: int | None = None
    bold: bool = False
    dim: bool = False


@dataclass(frozen=True)
class Run:
    """Text of one style, and the column where it begins."""

    column: int
    text: str
    style: Style


class Screen:
    """Rows of text, wrapped at a number of columns; it never scrolls."""

    def __init__(self, columns):
        self.columns = columns
        self.rows = [[]]
        self._column = 0
        self._style = Style()

    def write(self, text):
        """Writes output of a program."""
        at = 0
        for found in ESCAPE.finditer(text):
            self._write_plain(text[at : found.start()])
            if found.group(2) == "m":
                self._style = apply_codes(self._style, found.group(1))
            at = found.end()
        self._write_plain(text[at:])

    def _write_plain(self, text):
        for line_number, line in enumerate(text.split("\n")):
            if line_number:
                self._start_row()
            for cell in split_cells(CONTROL.sub("", line)):
                width = measure_cell(cell)
                if self._column + width > self.columns:
                    self._start_row()
                self._add_cell(cell, width)

    def _start_row(self):
        self.rows.append([])
        self._column = 0

    def _add_cell(self, cell, width):
        row = self.rows[-1]
        # What is not ASCII may be drawn wider or narrower than a column, so it stands alone and
        # cannot move what follows.
        last = row[-1] if row else None
        if last and last.style == self._style and last.text.isascii() and cell.isascii():
            row[-1] = replace(last, text=last.text + cell)
        else:
            row.append(Run(self._column, cell, self._style))
        self._column += width


def split_cells(text):
    """Splits text into what occupies one place: a character with its marks."""
    cells = []
    for char in text:
        if cells and (char == EMOJI_SELECTOR or unicodedata.combining(char)):
            cells[-1] += char
        else:
            cells.append(char)
    return cells


def measure_cell(cell):
    """The number of columns of a cell."""
    wide = unicodedata.east_asian_width(cell[0]) in "WF" or EMOJI_SELECTOR in cell
    return 2 if wide else 1


def apply_codes(style, codes):
    """Applies the numbers of an escape sequence for colours."""
    for code in [int(code or 0) for code in codes.replace(":", ";").split(";")]:
        if code == 0:
            style = Style()
        elif code == 1:
            style = replace(style, bold=True)
        elif code == 2:
            style = replace(style, dim=True)
        elif code == 22:
            style = replace(style, bold=False, dim=False)
        elif 30 <= code <= 37:
            style = replace(style, colour=code - 30)
        elif code == 39:
            style = replace(style, colour=None)
        elif 90 <= code <= 97:
            style = replace(style, colour=code - 90 + 8)
    return style


def strip_escapes(text):
    """Removes escape sequences and control characters other than line ends."""
    return CONTROL.sub("", ESCAPE.sub("", text))
