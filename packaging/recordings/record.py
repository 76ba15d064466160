"""Records terminal sessions with the real programs and draws them for the README.

    python3 packaging/recordings/record.py --programs target/debug
"""

import argparse
from pathlib import Path

from picture import render_svg
from scenes import COLUMNS, SCENES, record_scene

ROOT = Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description="Record terminal sessions as SVG.")
    parser.add_argument("--programs", type=Path, default=ROOT / "target" / "debug")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=", ".join(SCENES))
    args = parser.parse_args()
    for name in args.scenes or SCENES:
        title, steps = record_scene(name, args.programs.resolve())
        path = args.out / f"{name}.svg"
        path.write_text(render_svg(title, steps, COLUMNS), encoding="utf-8")
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
