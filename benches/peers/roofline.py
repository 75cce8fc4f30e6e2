"""Draws how near the evaluator comes to what the machine can do: `roofline.py measured.json roofline.svg`.

A roofline has the work done for each byte that comes from memory across, and the work done in a second up.
Work is a comparison of a user's value with a constant. Below the slope, memory is what is waited for;
below the flat roof, which is measured with users that stay in cache, the processor.
"""

import json
import math
import sys
from pathlib import Path

LEFT, TOP, WIDTH, HEIGHT = 90, 20, 560, 300


def ticks(low, high):
    return [10.0 ** n for n in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)]


def words(number):
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:g}{unit}"
    return f"{number:g}"


def draw(found):
    points = []
    for row, note in found["notes"].items():
        work = found["rows"] * note["distinct_tests"]
        points.append((row.split(" rules")[0], work / note["bytes"], work / found["results"][row]["Strata"]["seconds"]))
    memory, roof = found["bytes_a_second"], found["comparisons_a_second"]
    low_x, high_x = min(x for _, x, _ in points) / 3, max(max(x for _, x, _ in points), roof / memory) * 3
    low_y, high_y = min(y for _, _, y in points) / 3, max(roof, max(y for _, _, y in points)) * 3

    def place(x, y):
        across = (math.log10(x) - math.log10(low_x)) / (math.log10(high_x) - math.log10(low_x))
        up = (math.log10(y) - math.log10(low_y)) / (math.log10(high_y) - math.log10(low_y))
        return LEFT + across * WIDTH, TOP + (1 - up) * HEIGHT

    def line(start, end, style):
        (ax, ay), (bx, by) = place(*start), place(*end)
        return f'<line x1="{ax:.1f}" y1="{ay:.1f}" x2="{bx:.1f}" y2="{by:.1f}" {style}/>'

    def text(x, y, content, anchor="start"):
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{content}</text>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 30} {TOP + HEIGHT + 60}" '
        'font-family="sans-serif" font-size="12" fill="#444">',
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#888"/>',
    ]
    for x in ticks(low_x, high_x):
        parts.append(line((x, low_y), (x, high_y), 'stroke="#ddd"'))
        parts.append(text(place(x, low_y)[0], TOP + HEIGHT + 18, words(x), "middle"))
    for y in ticks(low_y, high_y):
        parts.append(line((low_x, y), (high_x, y), 'stroke="#ddd"'))
        parts.append(text(LEFT - 8, place(low_x, y)[1] + 4, words(y), "end"))
    ridge = roof / memory
    start = max(low_x, low_y / memory)
    parts.append(line((start, start * memory), (ridge, roof), 'stroke="#b33" stroke-width="2"'))
    parts.append(line((ridge, roof), (high_x, roof), 'stroke="#b33" stroke-width="2"'))
    for name, x, y in points:
        across, up = place(x, y)
        share = y / min(roof, memory * x)
        parts.append(f'<circle cx="{across:.1f}" cy="{up:.1f}" r="4" fill="#246"/>')
        parts.append(text(across + 8, up + 14, f"{name} rules, {share:.0%} of the roof"))
    parts.append(text(LEFT + WIDTH / 2, TOP + HEIGHT + 42, "comparisons for each byte from memory", "middle"))
    parts.append(f'<text transform="translate(22 {TOP + HEIGHT / 2}) rotate(-90)" text-anchor="middle">comparisons a second</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(json.loads(Path(sys.argv[1]).read_text())))
