"""Draws a recording as an SVG that needs nothing else: no font, no script, no other file.

The rows appear one after the other by CSS animation. Each row is visible by default, so the whole
session is shown where animation does not run, is not wanted, or has ended.
"""

from dataclasses import dataclass
from xml.sax.saxutils import escape

from screen import Screen, measure_cell, split_cells, strip_escapes

CELL_WIDTH = 8.4
ROW_HEIGHT = 19
FONT_SIZE = 14
MARGIN = 16
BAR_HEIGHT = 34

# Seconds: for a character that is typed, before a command is entered, and the longest silence.
TYPING_SECONDS = 0.035
ENTER_SECONDS = 0.5
LONGEST_WAIT = 1.5
# Output that arrives at once appears row by row, so that the eye can follow.
ROW_SECONDS = 0.12
AFTER_COMMAND_SECONDS = 1.2

COLOURS = [
    "#6e7681", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea", "#c9d1d9",
    "#8b949e", "#ffa198", "#aff5b4", "#f2cc60", "#a5d6ff", "#e2c5ff", "#b3f0ff", "#ffffff",
]  # fmt: skip

STYLE = """
.b{fill:#0d1117}.t{fill:#e6edf3}.h{fill:#8b949e;text-anchor:middle}
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
text{font-size:14px;white-space:pre}
.B{font-weight:700}.D{opacity:.65}
.r{animation:show .01s step-end backwards}
.c{fill:#0d1117;transform:scaleX(0);transform-box:fill-box;transform-origin:right}
.c{animation:type backwards}
@keyframes show{from{opacity:0}}
@keyframes type{from{transform:scaleX(1)}to{transform:scaleX(0)}}
@media(prefers-reduced-motion:reduce){.r,.c{animation:none}}
"""


@dataclass(frozen=True)
class Step:
    """A command with its prompt and output, as [(seconds since its start, text)].

    A step without a command is a remark, which stands in its prompt.
    """

    prompt: str
    command: str
    output: list


def render_transcript(steps):
    """The text of a recording, without colours and without wrapping."""
    parts = []
    for step in steps:
        output = "".join(strip_escapes(text) for _, text in step.output)
        # A prompt stands in a row of its own, whether or not the output before it ends one.
        parts.append(strip_escapes(step.prompt + step.command) + "\n" + output)
        parts.append("" if output.endswith("\n") or not output else "\n")
    return "".join(parts)


def render_svg(title, steps, columns):
    """The picture of a recording."""
    screen = Screen(columns)
    rows, at = [], 0.6
    for step in steps:
        drawn, at = _draw_step(screen, step, at)
        rows += drawn
    row_count = max((number for number, row in enumerate(screen.rows, 1) if row), default=0)
    width = round(columns * CELL_WIDTH + 2 * MARGIN)
    height = BAR_HEIGHT + row_count * ROW_HEIGHT + MARGIN
    colours = "".join(f".k{number}{{fill:{colour}}}" for number, colour in enumerate(COLOURS))
    dots = "".join(
        f'<circle cx="{20 + 18 * number}" cy="17" r="5.5" fill="{colour}"/>'
        for number, colour in enumerate(["#ff5f57", "#febc2e", "#28c840"])
    )
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title text">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="text">{escape(render_transcript(steps))}</desc>',
            f"<style>{STYLE}{colours}\n</style>",
            f'<rect class="b" width="{width}" height="{height}" rx="8"/>{dots}',
            f'<text class="h" x="{width // 2}" y="22">{escape(title)}</text>',
            *rows,
            "</svg>\n",
        ]
    )


def _draw_step(screen, step, at):
    """Draws a step that begins at a time, and returns its rows and when the next one begins."""
    first = len(screen.rows) - 1
    screen.write(step.prompt)
    typed_row, typed_column = len(screen.rows) - 1, _measure_row(screen.rows[-1])
    screen.write("\x1b[1m" + step.command + "\x1b[0m")
    drawn = _draw_rows(screen, first, at)
    if step.command:
        for number in range(typed_row, len(screen.rows)):
            start = typed_column if number == typed_row else 0
            length = _measure_row(screen.rows[number]) - start
            drawn.append(_draw_cover(number, start, length, at))
            at += length * TYPING_SECONDS
        at += ENTER_SECONDS
    screen.write("\n")
    before = 0
    for arrived, text in step.output:
        at += max(min(arrived - before, LONGEST_WAIT), ROW_SECONDS)
        before = arrived
        first = len(screen.rows) - 1
        screen.write(text)
        drawn += _draw_rows(screen, first, at)
    if screen.rows[-1]:
        screen.write("\n")
    return drawn, at + AFTER_COMMAND_SECONDS


def _measure_row(row):
    if not row:
        return 0
    return row[-1].column + sum(measure_cell(cell) for cell in split_cells(row[-1].text))


def _draw_cover(number, column, length, at):
    """A piece of background over a command, which shrinks as if the command were typed."""
    x = MARGIN + column * CELL_WIDTH
    y = BAR_HEIGHT + number * ROW_HEIGHT
    seconds = length * TYPING_SECONDS
    return (
        f'<rect class="c" x="{x:.1f}" y="{y}" width="{length * CELL_WIDTH:.1f}" '
        f'height="{ROW_HEIGHT}" fill="none" style="animation-delay:{at:.2f}s;'
        f'animation-duration:{seconds:.2f}s;animation-timing-function:steps({length})"/>'
    )


def _draw_rows(screen, first, at):
    """The rows from one on, which appear at a time; a row without text needs none."""
    numbers = range(first, len(screen.rows))
    return [_draw_row(screen, number, at) for number in numbers if screen.rows[number]]


def _draw_row(screen, number, at):
    """A row. Every run is given its width, whatever the font."""
    runs = "".join(_draw_run(run) for run in screen.rows[number])
    y = BAR_HEIGHT + number * ROW_HEIGHT + FONT_SIZE
    return f'<text class="t r" y="{y}" style="animation-delay:{at:.2f}s">{runs}</text>'


def _draw_run(run):
    classes = [f"k{run.style.colour}"] if run.style.colour is not None else []
    classes += ["B"] * run.style.bold + ["D"] * run.style.dim
    attributes = f' class="{" ".join(classes)}"' if classes else ""
    if run.text.isascii():
        attributes += f' textLength="{len(run.text) * CELL_WIDTH:.1f}"'
    x = MARGIN + run.column * CELL_WIDTH
    return f'<tspan x="{x:.1f}"{attributes}>{escape(run.text)}</tspan>'
