"""The drawing of recordings, and whether the committed ones show what the programs print today."""

import os
import re
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from picture import Step, render_svg, render_transcript
from record import ROOT
from scenes import COLUMNS, SCENES, record_scene
from screen import Screen
from terminal import run_in_terminal

SVG = "{http://www.w3.org/2000/svg}"
PROGRAMS = Path(os.environ.get("TRUEUP_PROGRAMS", ROOT / "target" / "debug")).resolve()
MAX_PICTURE_BYTES = 40_000

FIXED_STEPS = [
    Step("\x1b[90m# a remark\x1b[0m", "", []),
    Step("\x1b[32m$\x1b[0m ", "cat <a> & more", [(0.2, "one <two> & three\r\n"), (9.0, "end")]),
    Step("$ ", "long", [(0.1, "\x1b[1;31m" + "x" * 25 + "\x1b[0m ⚠️ y\r\n")]),
]

# What differs from one run to the next, and what is shown for it.
VARYING = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s)\b"), "DURATION"),
    (re.compile(r"\b[hj]-[0-9a-f]{10}\b"), "ID"),
    (re.compile(r"\bprocess \d+"), "process N"),
]


def read_svg(text):
    """The transcript of a picture, its drawn text, and the whole tree."""
    tree = ElementTree.fromstring(text)
    rows = ["".join(row.itertext()) for row in tree.findall(f"{SVG}text[@y]")]
    return tree.find(f"{SVG}desc").text, rows[1:], tree


def replace_varying(text):
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return text


class Drawing(unittest.TestCase):
    def test_a_fixed_capture_gives_the_same_picture(self):
        path = HERE / "testdata" / "fixed.svg"
        drawn = render_svg("a <title>", FIXED_STEPS, 20)
        if os.environ.get("TRUEUP_WRITE_PICTURES"):
            path.write_text(drawn, encoding="utf-8")
        self.assertEqual(drawn, path.read_text(encoding="utf-8"))

    def test_markup_in_output_stays_text(self):
        transcript, rows, tree = read_svg(render_svg("a <title>", FIXED_STEPS, 40))
        self.assertEqual(tree.find(f"{SVG}title").text, "a <title>")
        self.assertIn("one <two> & three", rows)
        self.assertIn("$ cat <a> & more\none <two> & three\n", transcript)
        names = {element.tag.removeprefix(SVG) for element in tree.iter()}
        self.assertEqual(
            names, {"svg", "title", "desc", "style", "rect", "circle", "text", "tspan"}
        )

    def test_rows_wrap_at_the_last_column_and_colours_are_kept(self):
        screen = Screen(20)
        screen.write(FIXED_STEPS[2].output[0][1])
        self.assertEqual([row[0].text for row in screen.rows[:2]], ["x" * 20, "x" * 5])
        self.assertTrue(all(row[0].style.bold for row in screen.rows[:2]))
        self.assertEqual(screen.rows[1][0].style.colour, 1)
        plain = [(run.column, run.text, run.style.colour) for run in screen.rows[1][1:]]
        self.assertEqual(plain, [(5, " ", None), (6, "⚠️", None), (8, " y", None)])

    def test_everything_is_visible_without_animation(self):
        _, _, tree = read_svg(render_svg("title", FIXED_STEPS, 40))
        style = tree.find(f"{SVG}style").text
        static = re.sub(r"@keyframes \w+\{(\w+\{[^}]*\})+\}", "", style)
        self.assertNotIn("opacity:0", static)
        self.assertIn("scaleX(0)", static)
        self.assertIn("prefers-reduced-motion", static)
        self.assertTrue(all(row.get("fill") == "none" for row in tree.findall(f"{SVG}rect[@x]")))

    def test_a_long_silence_is_cut_short(self):
        def last_delay(silence):
            drawn = render_svg("t", [Step("$ ", "x", [(silence, "end\n")])], 40)
            return max(float(found) for found in re.findall(r"animation-delay:([\d.]+)s", drawn))

        self.assertEqual(last_delay(60), last_delay(600))
        self.assertLess(last_delay(0.3), last_delay(60))


class Terminal(unittest.TestCase):
    def test_a_command_sees_a_terminal_of_the_given_width(self):
        with tempfile.TemporaryDirectory() as cwd:
            code, output = run_in_terminal(
                "test -t 1 && stty size && printf 'a\\303\\244b' && exit 7", cwd, os.environ, 72
            )
        self.assertEqual(code, 7)
        self.assertEqual([text for _, text in output], ["50 72\r\n", "aäb"])


@unittest.skipUnless((PROGRAMS / "trueup").exists(), f"no programs in {PROGRAMS}")
class Committed(unittest.TestCase):
    def test_pictures_show_what_the_programs_print_today(self):
        for name in SCENES:
            with self.subTest(name):
                picture = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
                shown, rows, _ = read_svg(picture)
                _, steps = record_scene(name, PROGRAMS)
                printed = render_transcript(steps)
                self.assertEqual(
                    replace_varying(shown), replace_varying(printed),
                    "draw it again: python3 packaging/recordings/record.py",
                )  # fmt: skip
                self.assertEqual("".join(rows), shown.replace("\n", ""), "drawn differs from told")

    def test_pictures_are_small_and_need_nothing_else(self):
        for name in SCENES:
            path = ROOT / "docs" / "pictures" / f"{name}.svg"
            text = path.read_text(encoding="utf-8")
            self.assertLess(path.stat().st_size, MAX_PICTURE_BYTES)
            self.assertNotRegex(text, r"url\(|href|<script|@import|@font-face|<image")
            self.assertLessEqual(
                max(len(line) for line in read_svg(text)[1]), COLUMNS, f"{name} is too wide"
            )


if __name__ == "__main__":
    unittest.main()
