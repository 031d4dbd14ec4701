// Two texts, line by line.

const MOST_LINES = 1500; // beyond it the comparison would take too long

/** Two texts as lines: "-" only in the first, "+" only in the second, " " in both. */
export function compareLines(a: string, b: string): [string, string][] {
  const x = a.split("\n").slice(0, MOST_LINES);
  const y = b.split("\n").slice(0, MOST_LINES);
  const width = y.length + 1;
  const longest = new Uint16Array((x.length + 1) * width); // of what both have from here on
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) {
      longest[i * width + j] = x[i] === y[j] ? 1 + (longest[(i + 1) * width + j + 1] ?? 0)
        : Math.max(longest[(i + 1) * width + j] ?? 0, longest[i * width + j + 1] ?? 0);
    }
  }
  const lines: [string, string][] = [];
  for (let i = 0, j = 0; i < x.length || j < y.length;) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      lines.push([" ", x[i++] ?? ""]);
      j++;
    } else if (i < x.length && (j >= y.length || (longest[(i + 1) * width + j] ?? 0) >= (longest[i * width + j + 1] ?? 0))) {
      lines.push(["-", x[i++] ?? ""]);
    } else {
      lines.push(["+", y[j++] ?? ""]);
    }
  }
  return lines;
}
